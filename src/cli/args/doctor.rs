//! Options of `mm-query doctor`.

use super::{SiteOptions, statuses};
use clap::Args;
use std::path::PathBuf;

/// `doctor`
#[derive(Debug, Args)]
pub(in crate::cli) struct Doctor {
    /// Print the findings as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// The Exim program [default: the first of the usual places]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) exim: Option<PathBuf>,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nHere 0 means that there is no problem, though there may be warnings, and 78 that there \
         is one.\n\nExamples:\n  mm-query doctor\n  mm-query doctor --json\n",
        statuses()
    )
}
