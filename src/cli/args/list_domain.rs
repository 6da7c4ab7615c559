//! Options of `mm-query list-domain`.

use super::{SiteOptions, statuses};
use clap::Args;
use std::ffi::OsString;

/// `list-domain`
#[derive(Debug, Args)]
pub(in crate::cli) struct ListDomain {
    /// The list: its name, or name@domain
    #[arg(value_name = "LIST")]
    pub(in crate::cli) list: OsString,
    /// The domain it should have
    #[arg(value_name = "DOMAIN")]
    pub(in crate::cli) domain: Option<OsString>,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nExamples:\n  mm-query list-domain team\n  \
         mm-query list-domain team@lists.example.org --json\n",
        statuses()
    )
}
