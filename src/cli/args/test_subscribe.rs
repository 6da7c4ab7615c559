//! Options of `mm-query test-subscribe`.

use super::test_message::Dialect;
use super::{SiteOptions, statuses};
use clap::Args;
use std::ffi::OsString;

/// `test-subscribe`
#[derive(Debug, Args)]
pub(in crate::cli) struct TestSubscribe {
    /// The list: its name, or name@domain
    #[arg(value_name = "LIST")]
    pub(in crate::cli) list: OsString,
    /// The address that wants to subscribe
    #[arg(value_name = "ADDRESS")]
    pub(in crate::cli) address: OsString,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print what was checked, for a person
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) explain: bool,
    /// Whose rules apply: Mailman 2.1's, or those of its Python 3 port 2.2 [default: as the list's
    /// file tells]
    #[arg(long, value_name = "VERSION", value_enum)]
    pub(in crate::cli) dialect: Option<Dialect>,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nOutcomes: ok (subscribed at once), confirm, approve, confirm+approve, undecided \
         (Mailman would fail, or it cannot be known here): status 0. banned, member, bad-address, \
         no-delivery: status 1. One line on standard output says it in words.\n\n\
         Requests that wait already, the Spamhaus lists and what a web form asks for besides are \
         not looked at.\n\n\
         Examples:\n  \
         mm-query test-subscribe team eve@example.net\n  \
         mm-query test-subscribe team@lists.example.org eve@example.net --json\n",
        statuses()
    )
}
