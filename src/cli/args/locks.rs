//! Options of `mm-query locks`.

use super::{LockOptions, SiteOptions, statuses};
use clap::Args;

/// `locks`
#[derive(Debug, Args)]
pub(in crate::cli) struct Locks {
    /// Remove what nobody holds any longer
    #[arg(long)]
    pub(in crate::cli) remove_stale: bool,
    /// Remove what has expired of this other host, too
    #[arg(long, value_name = "HOST", requires = "remove_stale")]
    pub(in crate::cli) host: Option<String>,
    /// Print the locks as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Where the locks are.
    #[command(flatten)]
    pub(in crate::cli) locks: LockOptions,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nA lock is stale when its lifetime has ended (Mailman then breaks it by itself), or \
         when it was taken on this host by a process that is gone (Mailman waits for the end of \
         its lifetime, which is five hours). Do not remove locks here while processes of Mailman \
         run in containers or on machines that call themselves as this one does: they cannot be \
         seen.\n\nExamples:\n  \
         mm-query locks\n  \
         mm-query locks --remove-stale\n",
        statuses()
    )
}
