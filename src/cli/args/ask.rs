//! Options of `mm-query ask`.

use super::TestSender;
use crate::serve::client::DEFAULT;
use clap::Args;
use std::ffi::OsString;

/// `ask`
#[derive(Debug, Args)]
pub(in crate::cli) struct Ask {
    /// Where the daemon listens: a path, or inet:ADDRESS:PORT
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT)]
    pub(in crate::cli) socket: OsString,
    /// Do not read the list where no daemon answers: exit with 75
    #[arg(long)]
    pub(in crate::cli) no_fallback: bool,
    /// The question.
    #[command(flatten)]
    pub(in crate::cli) question: TestSender,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nWhere no daemon answers, the list is read here, as test-sender does it, with \
         --lists-dir and --mm-cfg. A daemon answers by its own site's files.\n\n\
         Examples:\n  \
         mm-query ask team alice@example.org\n  \
         mm-query ask team --socket=inet:127.0.0.1:4711 --from='Bob <bob@example.org>'\n",
        super::statuses()
    )
}
