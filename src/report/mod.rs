//! A verdict for programs and for people.

pub mod subscription;

use crate::answer::{Policy, json_line, one_line, refusal_text};
use crate::exit::Status;
use crate::list::value::PyValue;
use crate::mailman::senders::Origin;
use crate::python::Python;
use crate::python::text::PyStr;
use crate::query::Judged;
use mail_parser::parsers::MessageStream;

/// How a verdict is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// What holds and discards mean.
    pub policy: Policy,
    /// One JSON object.
    pub json: bool,
    /// What was checked, for a person.
    pub explain: bool,
    /// Texts in UTF-8, not in ASCII.
    pub utf8: bool,
}

/// A judged post, and how its verdict is wanted.
pub struct Report<'a> {
    judged: &'a Judged,
    origin: Option<&'a Origin>,
    gaps: &'a [String],
    style: Style,
    permitted: bool,
    /// For the sender; empty when permitted.
    text: String,
}

impl<'a> Report<'a> {
    /// `origin`: the senders that were given, to be shown; `gaps`: what could not be given up.
    pub fn new(
        judged: &'a Judged,
        origin: Option<&'a Origin>,
        gaps: &'a [String],
        style: Style,
    ) -> Report<'a> {
        let permitted = style.policy.permits(judged.verdict.decision);
        let text = match permitted {
            true => String::new(),
            false => refusal_text(&judged.verdict, &judged.facts, style.utf8),
        };
        Report { judged, origin, gaps, style, permitted, text }
    }

    /// Whether the message may come in.
    pub fn is_permitted(&self) -> bool {
        self.permitted
    }

    /// Whether the answer tells all there is to tell, warnings included.
    pub fn is_complete(&self) -> bool {
        self.style.json || self.style.explain
    }

    /// The answer, lines ended by LF.
    pub fn answer(&self) -> String {
        match (self.style.json, self.style.explain) {
            (true, _) => self.json(),
            (_, true) => self.explanation(),
            _ => self.plain(),
        }
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
        json_line(&answer)
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
