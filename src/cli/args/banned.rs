//! Options of `mm-query banned`.

use super::{SiteOptions, statuses};
use clap::Args;
use std::ffi::OsString;

/// `banned`
#[derive(Debug, Args)]
pub(in crate::cli) struct Banned {
    /// The address
    #[arg(value_name = "ADDRESS")]
    pub(in crate::cli) address: OsString,
    /// Only these lists: names, or name@domain [default: all]
    #[arg(long, value_name = "LIST", num_args = 1..)]
    pub(in crate::cli) list: Vec<OsString>,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nThe exit status is 0 whether the address is banned or not; if some lists cannot be \
         read, it is that of the first of them.\n\nExamples:\n  \
         mm-query banned eve@example.net\n  \
         mm-query banned eve@example.net --list team --json\n",
        statuses()
    )
}
