//! Options of `mm-query subscriptions`.

use super::{SiteOptions, statuses};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `subscriptions`
#[derive(Debug, Args)]
pub(in crate::cli) struct Subscriptions {
    /// Log files, compressed by gzip or not [default: `subscribe` and older ones, where Mailman's
    /// logs are]
    #[arg(value_name = "LOG")]
    pub(in crate::cli) logs: Vec<PathBuf>,
    /// Only what happened since then: 2026-11-20, '2026-11-20 17:00', or so long ago: 90m, 24h, 7d,
    /// 2w. Local time, as in the log
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Option<String>,
    /// Only this table
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(in crate::cli) by: Option<GroupBy>,
    /// How many rows a table has
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) top: u32,
    /// Also draw requests over time into FILE, which is written anew
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) svg: Option<PathBuf>,
    /// Print the report as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

/// What to count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum GroupBy {
    /// where requests came from
    Ip,
    /// its network: /24, /64
    Network,
    /// the domain of the address
    Domain,
    /// the list
    List,
    /// the address
    Address,
    /// the time
    Hour,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nExamples:\n  \
         mm-query subscriptions --since=24h\n  \
         mm-query subscriptions /var/log/mailman/subscribe* --by=network --top=20\n  \
         mm-query subscriptions --since=7d --svg=week.svg\n",
        statuses()
    )
}
