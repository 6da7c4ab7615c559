//! Options of `mm-query lists`.

use super::{SiteOptions, statuses};
use clap::{Args, ValueEnum};

/// `lists`
#[derive(Debug, Args)]
pub(in crate::cli) struct Lists {
    /// Only lists whose names match: with * and ?, the whole name, else any part of it; with an @,
    /// name@domain
    #[arg(value_name = "PATTERN")]
    pub(in crate::cli) pattern: Option<String>,
    /// The order: numbers and dates from the largest down
    #[arg(long, value_name = "KEY", value_enum, default_value_t = SortBy::Name)]
    pub(in crate::cli) sort: SortBy,
    /// Print the answer as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

/// By what lists are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SortBy {
    /// the name
    Name,
    /// the domain, then the name
    Domain,
    /// how many members
    Members,
    /// who may post
    Posting,
    /// what a subscription needs
    Subscribing,
    /// when the last post was
    LastPost,
    /// how large the file is
    Size,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nIf some lists cannot be read, the exit status is that of the first of them; the others \
         are listed.\n\nExamples:\n  mm-query lists\n  mm-query lists 'team*' --sort=last-post\n  \
         mm-query lists @lists.example.org --json\n",
        statuses()
    )
}
