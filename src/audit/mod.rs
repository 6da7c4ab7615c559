//! What in a site invites abuse: findings, worst first, each with what to write where.
//!
//! Each part looks at plain values and says [`Finding`]s. What could not be looked at is a finding,
//! too.

pub mod bans;
pub mod captchas;
pub mod harden;
pub mod lists;
pub mod settings;
pub mod surroundings;

use crate::answer::{json_line, one_line};
use crate::doctor::named;
use crate::python::literal::Literal;
use std::fmt;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is abused, or Mailman does not work.
    High,
    /// It makes abuse easier, or harms others.
    Medium,
    /// It does not do what it seems to, or was not looked at.
    Low,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::High => "HIGH",
            Severity::Medium => "medium",
            Severity::Low => "low",
        })
    }
}

/// Something that invites abuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at, a word.
    pub check: &'static str,
    /// What was found, and where.
    pub text: String,
    /// Why that is bad.
    pub why: String,
    /// A line to write, or a command to run.
    pub remedy: String,
}

impl Finding {
    fn new(
        severity: Severity,
        check: &'static str,
        text: impl Into<String>,
        why: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        let (text, why, remedy) = (text.into(), why.into(), remedy.into());
        Finding { severity, check, text, why, remedy }
    }
}

/// The worst first; of the same severity, as they came.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| finding.severity);
}

/// Whether there is more than small things.
pub fn is_bad(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity < Severity::Low)
}

/// A string of `mm_cfg.py`.
fn text(literal: &Literal) -> Option<String> {
    match literal {
        Literal::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Literal::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Three lines for each: what, why, and what to do.
pub fn page(findings: &[Finding]) -> String {
    let mut page = String::new();
    for Finding { severity, check, text, why, remedy } in findings {
        page.push_str(&format!("{severity:<7} {check:<9} {}\n", one_line(text)));
        page.push_str(&format!("{:<17} {}\n", "", one_line(why)));
        page.push_str(&format!("{:<17} -> {}\n", "", one_line(remedy)));
    }
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let [high, medium, low] = [Severity::High, Severity::Medium, Severity::Low].map(count);
    page.push_str(&format!("\n{high} high, {medium} medium, {low} low\n"));
    page
}

/// One object on one line.
pub fn json(findings: &[Finding]) -> String {
    let one = |f: &Finding| {
        serde_json::json!({
            "severity": f.severity.to_string().to_ascii_lowercase(),
            "check": f.check,
            "text": f.text,
            "why": f.why,
            "remedy": f.remedy,
        })
    };
    let findings: Vec<_> = findings.iter().map(one).collect();
    json_line(&serde_json::json!({"version": env!("CARGO_PKG_VERSION"), "findings": findings}))
}
