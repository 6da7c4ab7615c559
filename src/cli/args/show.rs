//! Options of `mm-query show`.

use super::{SiteOptions, statuses};
use clap::Args;
use std::ffi::OsString;

/// `show`
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The list: its name, or name@domain
    #[arg(value_name = "LIST")]
    pub(in crate::cli) list: OsString,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!("{}\nExamples:\n  mm-query show team\n  mm-query show team --json\n", statuses())
}
