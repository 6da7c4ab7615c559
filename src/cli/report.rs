//! A verdict for programs and for people.

use crate::answer::one_line;
use crate::cli::given::Given;
use crate::exit::Status;
use crate::list::store::Loaded;
use crate::list::value::PyValue;
use crate::mailman::verdict::Verdict;
use crate::python::Python;
use crate::python::text::PyStr;
use mail_parser::parsers::MessageStream;

/// A judged post.
pub(super) struct Report<'a> {
    pub(super) list: &'a Loaded,
    pub(super) given: &'a Given,
    pub(super) verdict: &'a Verdict,
    pub(super) permitted: bool,
    /// For the sender; empty when permitted.
    pub(super) text: String,
    /// What was checked, in order.
    pub(super) trail: Vec<String>,
}

impl Report<'_> {
    /// The text for an SMTP reply, or nothing.
    pub(super) fn plain(&self) -> String {
        if self.text.is_empty() { String::new() } else { format!("{}\n", self.text) }
    }

    /// One object on one line.
    pub(super) fn json(&self) -> String {
        let verdict = self.verdict;
        let text = |s: &Option<PyStr>| s.as_ref().map(|s| s.to_lossy().into_owned());
        let answer = serde_json::json!({
            "list": self.list.name.as_str(),
            "verdict": verdict.decision.word(),
            "permitted": self.permitted,
            "handler": verdict.rule.handler(),
            "rule": verdict.rule.word(),
            "sender": text(&verdict.sender),
            "entry": text(&verdict.entry),
            "reason": verdict.reason,
            "text": self.text,
            "warnings": self.list.warnings,
        });
        format!("{answer}\n")
    }

    /// A page for a person at a shell.
    pub(super) fn explanation(&self) -> String {
        let verdict = self.verdict;
        let mut lines = vec![format!("list       {}", self.heading())];
        lines.extend(self.headers());
        lines.extend(self.list.warnings.iter().map(|w| format!("warning    {w}")));
        lines.extend(self.trail.iter().map(|step| format!("checked    {step}")));
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
        let host = match self.list.settings.host_name.value() {
            Some(PyValue::Str(host)) => host.to_lossy().into_owned(),
            _ => "no domain".to_owned(),
        };
        let mailman = match self.list.settings.python {
            Python::Two => "Mailman 2.1",
            Python::Three => "the Python 3 port of Mailman",
        };
        format!("{} ({host}), written by {mailman}", self.list.name)
    }

    /// The headers as a mail program would show them; the rules look at them undecoded.
    fn headers(&self) -> Vec<String> {
        let Given::Message(message) = self.given else { return Vec::new() };
        let Some(origin) = message.readings.first() else { return Vec::new() };
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
