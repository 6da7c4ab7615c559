//! Options of `mm-query audit` and `mm-query harden`.

use super::{SiteOptions, statuses};
use crate::audit::lists::is_language;
use clap::Args;
use std::path::PathBuf;

/// `audit`
#[derive(Debug, Args)]
pub(in crate::cli) struct Audit {
    /// Print the findings as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// The Exim program [default: the first of the usual places]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) exim: Option<PathBuf>,
    /// Mailman's directory of locks [default: as /etc/mm-query.toml or mm_cfg.py says, else beside
    /// the lists]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) lock_dir: Option<PathBuf>,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

/// `harden`
#[derive(Debug, Args)]
pub(in crate::cli) struct Harden {
    /// Questions in these languages, as Mailman's codes [default: those of the site and its lists];
    /// English is always there
    #[arg(long, value_name = "CODE", num_args = 1.., value_parser = language)]
    pub(in crate::cli) language: Vec<String>,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

fn language(text: &str) -> Result<String, String> {
    if is_language(text) {
        Ok(text.to_owned())
    } else {
        Err("no language's code, such as de or pt_BR".into())
    }
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nThe exit status is 78 if there is a finding of high or medium severity, else 0.\n\n\
         Examples:\n  mm-query audit\n  mm-query audit --json\n",
        statuses()
    )
}

pub(super) fn harden_help_end() -> String {
    format!("{}\nExamples:\n  mm-query harden\n  mm-query harden --language de fr\n", statuses())
}
