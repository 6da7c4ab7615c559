//! Options of `mm-query exim-setup`.

use super::{SiteOptions, statuses};
use crate::exim::about::Version;
use crate::exim::settings::Change;
use clap::{ArgGroup, Args, ValueEnum};
use std::path::PathBuf;

/// `exim-setup`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("action").args(["install", "remove"]))]
pub(in crate::cli) struct EximSetup {
    /// Install the snippets on Debian, or bring an installation up to date; as root
    #[arg(long, conflicts_with_all = ["remove", "show", "exim_version", "layout"])]
    pub(in crate::cli) install: bool,
    /// Remove what --install wrote; as root
    #[arg(long, conflicts_with_all = ["show", "exim_version", "layout", "domains", "no_answer", "set", "unset"])]
    pub(in crate::cli) remove: bool,
    /// Print one of the snippets
    #[arg(long, value_name = "FILE", value_parser = ["macros", "acl"], conflicts_with_all = ["exim_version", "layout"])]
    pub(in crate::cli) show: Option<String>,
    /// Let the running Exim daemon read its new configuration (SIGHUP)
    #[arg(long, requires = "action")]
    pub(in crate::cli) reload: bool,
    /// Let a block of ours be put into an exim4.conf.localmacros of yours
    #[arg(long, requires = "install")]
    pub(in crate::cli) edit_localmacros: bool,
    /// What the settings are.
    #[command(flatten)]
    pub(in crate::cli) settings: Settings,
    /// The Exim program [default: the first of the usual places]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) exim: Option<PathBuf>,
    /// Print for this version of Exim, whatever is on this machine
    #[arg(long, value_name = "VERSION", requires = "layout", value_parser = version)]
    pub(in crate::cli) exim_version: Option<Version>,
    /// Print for this way of keeping Exim's configuration
    #[arg(long, requires = "exim_version")]
    pub(in crate::cli) layout: Option<LayoutName>,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

/// The snippets' settings.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings (kept from an earlier --install unless given)")]
pub(in crate::cli) struct Settings {
    /// The domains of mailing lists, as an Exim domain list [default: +mailman_domains if Exim has
    /// it, else those domains of the lists that are in +local_domains or +relay_to_domains]
    #[arg(long, value_name = "DOMAINS")]
    pub(in crate::cli) domains: Option<String>,
    /// What happens to a message that cannot be checked [default: accept]
    #[arg(long, value_name = "POLICY")]
    pub(in crate::cli) no_answer: Option<NoAnswer>,
    /// Set a macro of the snippets, such as MMQ_OPTIONS=--held=refuse; `--show=macros` explains all
    #[arg(long, value_name = "MACRO=VALUE", value_parser = Change::parse)]
    pub(in crate::cli) set: Vec<Change>,
    /// Leave a macro at its default
    #[arg(long, value_name = "MACRO", value_parser = Change::undefine)]
    pub(in crate::cli) unset: Vec<Change>,
}

/// The layouts, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LayoutName {
    /// Debian's conf.d
    DebianSplit,
    /// Debian's exim4.conf.template
    DebianUnsplit,
    /// a configuration file of your own
    OneFile,
    /// cPanel's editor
    Cpanel,
}

/// `MMQ_NO_ANSWER`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum NoAnswer {
    /// take it, and let Mailman judge
    Accept,
    /// let the sender's server try again later
    Defer,
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).ok_or_else(|| "no version such as 4.96".to_owned())
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nExamples:\n  mm-query exim-setup\n  \
         mm-query exim-setup --install --domains='lists.example.org : lists.example.net' --reload\n  \
         mm-query exim-setup --install --no-answer=defer --set=MMQ_OPTIONS=--held=refuse\n  \
         mm-query exim-setup --remove --reload\n",
        statuses()
    )
}
