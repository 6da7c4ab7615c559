//! Options of `mm-query ban` and `mm-query unban`.

use super::{LockOptions, SiteOptions, statuses};
use clap::Args;
use std::ffi::OsString;

/// `ban`
#[derive(Debug, Args)]
pub(in crate::cli) struct Ban {
    /// Ban it even if it bans members of the list
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// What to ban, and where.
    #[command(flatten)]
    pub(in crate::cli) change: ChangeBans,
}

/// `unban`
#[derive(Debug, Args)]
pub(in crate::cli) struct Unban {
    /// What to ban no longer, and where.
    #[command(flatten)]
    pub(in crate::cli) change: ChangeBans,
}

/// What both have.
#[derive(Debug, Args)]
pub(in crate::cli) struct ChangeBans {
    /// An address, or a regular expression that begins with ^
    #[arg(value_name = "ADDRESS|REGEX")]
    pub(in crate::cli) entry: OsString,
    /// Which lists.
    #[command(flatten)]
    pub(in crate::cli) lists: Which,
    /// Only say what would be done; takes no lock
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// How locks are taken.
    #[command(flatten)]
    pub(in crate::cli) locks: LockOptions,
    /// How long to wait for a list that is locked
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Site")]
    pub(in crate::cli) wait: u32,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

/// All lists, or some.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Which {
    /// All lists
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// These lists: names, or name@domain
    #[arg(long, value_name = "LIST", num_args = 1..)]
    pub(in crate::cli) list: Vec<OsString>,
}

pub(super) fn help_end(command: &str) -> String {
    format!(
        "{}\nEach list is changed by itself. If some cannot be, the others are changed all the \
         same, and the exit status is that of the first that was not. An entry that is there \
         already, or is not there, is no error.\n\nExamples:\n  \
         mm-query {command} eve@example.net --all --dry-run\n  \
         mm-query {command} '^.*@spam\\.example$' --list team announce\n",
        statuses()
    )
}
