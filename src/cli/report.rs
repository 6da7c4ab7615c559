//! A verdict for programs and for people.

use crate::answer::{one_line, refusal_text};
use crate::cli::Outcome;
use crate::cli::args::AnswerOptions;
use crate::exit::Status;
use crate::list::value::PyValue;
use crate::mailman::senders::Origin;
use crate::python::Python;
use crate::python::text::PyStr;
use crate::query::Judged;
use mail_parser::parsers::MessageStream;

/// A judged post, and how its verdict is wanted.
pub(super) struct Report<'a> {
    judged: &'a Judged,
    origin: Option<&'a Origin>,
    gaps: &'a [String],
    options: &'a AnswerOptions,
    permitted: bool,
    /// For the sender; empty when permitted.
    text: String,
}

impl<'a> Report<'a> {
    /// `origin`: the senders that were given, to be shown; `gaps`: what could not be given up.
    pub(super) fn new(
        judged: &'a Judged,
        origin: Option<&'a Origin>,
        gaps: &'a [String],
        options: &'a AnswerOptions,
    ) -> Report<'a> {
        let permitted = options.policy().permits(judged.verdict.decision);
        let text = match permitted {
            true => String::new(),
            false => refusal_text(&judged.verdict, &judged.facts, options.utf8),
        };
        Report { judged, origin, gaps, options, permitted, text }
    }

    /// The answer as the options want it.
    pub(super) fn outcome(&self) -> Outcome {
        let AnswerOptions { json, explain, .. } = *self.options;
        let stdout = match (json, explain) {
            (true, _) => self.json(),
            (_, true) => self.explanation(),
            _ => self.plain(),
        };
        // Exim mixes standard error into the text for the sender.
        let stderr = super::warnings(&self.judged.list, !self.permitted || json || explain);
        Outcome { status: (!self.permitted).then_some(Status::Refused), stdout, stderr }
    }

    /// The text for an SMTP reply, or nothing.
    fn plain(&self) -> String {
        if self.text.is_empty() { String::new() } else { format!("{}\n", self.text) }
    }

    /// One object on one line.
    fn json(&self) -> String {
        let verdict = &self.judged.verdict;
        let text = |s: &Option<PyStr>| s.as_ref().map(|s| s.to_lossy().into_owned());
        let answer = serde_json::json!({
            "list": self.judged.list.name.as_str(),
            "verdict": verdict.decision.word(),
            "permitted": self.permitted,
            "handler": verdict.handler,
            "rule": verdict.rule.word(),
            "sender": text(&verdict.sender),
            "entry": text(&verdict.entry),
            "reason": verdict.reason,
            "text": self.text,
            "warnings": self.judged.list.warnings,
        });
        format!("{answer}\n")
    }

    /// A page for a person at a shell.
    fn explanation(&self) -> String {
        let verdict = &self.judged.verdict;
        let mut lines = vec![format!("list       {}", self.heading())];
        lines.extend(self.headers());
        lines.extend(self.judged.list.warnings.iter().map(|w| format!("warning    {w}")));
        lines.extend(self.gaps.iter().map(|gap| format!("unconfined {gap}")));
        lines.extend(self.judged.trail.iter().map(|step| format!("checked    {step}")));
        let decided_on = match &verdict.sender {
            Some(sender) => format!(", decided on <{}>", sender.to_lossy()),
            None => String::new(),
        };
        lines.push(format!(
            "verdict    {} by {}{decided_on}",
            verdict.decision.word(),
            verdict.rule.word()
        ));
        lines.extend(verdict.reason.iter().map(|reason| format!("because    {reason}")));
        let status = if self.permitted { Status::Permitted } else { Status::Refused };
        let word = if self.permitted { "permitted" } else { "refused" };
        lines.push(format!("exit       {} ({word})", status.code()));
        lines.extend(self.text.lines().map(|line| format!("text       {line}")));
        lines.iter().map(|line| format!("{}\n", one_line(line))).collect()
    }

    fn heading(&self) -> String {
        let host = match self.judged.list.settings.host_name.value() {
            Some(PyValue::Str(host)) => host.to_lossy().into_owned(),
            _ => "no domain".to_owned(),
        };
        let mailman = match self.judged.list.settings.python {
            Python::Two => "Mailman 2.1",
            Python::Three => "the Python 3 port of Mailman",
        };
        format!("{} ({host}), written by {mailman}", self.judged.list.name)
    }

    /// The headers as a mail program would show them; the rules look at them undecoded.
    fn headers(&self) -> Vec<String> {
        let Some(origin) = self.origin else { return Vec::new() };
        let named =
            [("From", &origin.from), ("Sender", &origin.sender), ("Reply-To", &origin.reply_to)];
        let mut lines = Vec::new();
        for (name, values) in named {
            for value in values {
                lines.push(format!("header     {name}: {}", decoded(value)));
            }
        }
        if let Some(envelope) = &origin.envelope {
            lines.push(format!("envelope   {}", String::from_utf8_lossy(envelope)));
        }
        lines
    }
}

/// RFC 2047 words decoded, folds undone.
fn decoded(value: &[u8]) -> String {
    let line = [value.trim_ascii(), b"\r\n"].concat();
    let parsed = MessageStream::new(&line).parse_unstructured();
    parsed.as_text().unwrap_or_default().to_owned()
}
