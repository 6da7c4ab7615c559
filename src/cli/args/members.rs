//! Options of `mm-query members`.

use super::{SiteOptions, statuses};
use clap::Args;
use std::ffi::OsString;

/// `members`
#[derive(Debug, Args)]
pub(in crate::cli) struct Members {
    /// The list: its name, or name@domain
    #[arg(value_name = "LIST")]
    pub(in crate::cli) list: OsString,
    /// The addresses
    #[arg(value_name = "ADDRESS", required = true)]
    pub(in crate::cli) addresses: Vec<OsString>,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nThe exit status is 0 whether the addresses are members or not.\n\nExamples:\n  \
         mm-query members team alice@example.org bob@example.org\n  \
         mm-query members team alice@example.org --json\n",
        statuses()
    )
}
