//! Options of `mm-query test-message`.

use super::{AnswerOptions, SiteOptions, VERDICTS, statuses};
use crate::mailman::post::DmarcPolicy;
use crate::python::Python;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// `test-message`
#[derive(Debug, Args)]
pub(in crate::cli) struct TestMessage {
    /// The list: its name, or name@domain
    #[arg(value_name = "LIST")]
    pub(in crate::cli) list: OsString,
    /// The message as Mailman will get it, lines ended by LF or CRLF [default: standard input]
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// The envelope sender; '' is the null sender of bounces. Without this option the message
    /// reaches Mailman without a From_ line, or with the one that it begins with
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub(in crate::cli) envelope_from: Option<OsString>,
    /// The policy in the DMARC record of the From: domain; leave it away if there is no record
    #[arg(long, value_name = "POLICY", value_enum)]
    pub(in crate::cli) dmarc_policy: Option<Policy>,
    /// Only the headers, and perhaps the beginning of the body, are there
    #[arg(long)]
    pub(in crate::cli) headers_only: bool,
    /// Whose rules apply: Mailman 2.1's, or those of its Python 3 port 2.2 [default: as the list's
    /// file tells]
    #[arg(long, value_name = "VERSION", value_enum)]
    pub(in crate::cli) dialect: Option<Dialect>,
    /// How the answer is wanted.
    #[command(flatten)]
    pub(in crate::cli) answer: AnswerOptions,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

/// `p=` of a DMARC record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Policy {
    /// p=none
    None,
    /// p=quarantine
    Quarantine,
    /// p=reject
    Reject,
}

impl From<Policy> for DmarcPolicy {
    fn from(policy: Policy) -> DmarcPolicy {
        match policy {
            Policy::None => DmarcPolicy::None,
            Policy::Quarantine => DmarcPolicy::Quarantine,
            Policy::Reject => DmarcPolicy::Reject,
        }
    }
}

/// A generation of Mailman.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Dialect {
    /// Mailman 2.1 on Python 2.7
    #[value(name = "2.1")]
    TwoOne,
    /// its Python 3 port 2.2
    #[value(name = "2.2")]
    TwoTwo,
}

impl From<Dialect> for Python {
    fn from(dialect: Dialect) -> Python {
        match dialect {
            Dialect::TwoOne => Python::Two,
            Dialect::TwoTwo => Python::Three,
        }
    }
}

pub(super) fn help_end() -> String {
    format!(
        "{}\n{VERDICTS}\n\n\
         With --headers-only, rules that need the body do not fire; where such a rule might make \
         Mailman's verdict milder (an approval line in the body), the verdict is undecided.\n\n\
         Examples:\n  \
         mm-query test-message team message.eml --envelope-from=bob@example.org\n  \
         mm-query test-message team --explain --dmarc-policy=reject < message.eml\n",
        statuses()
    )
}
