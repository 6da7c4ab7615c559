//! Writes the manual pages of section 1 and the shell completions into a folder:
//! `pages FOLDER`. They are made of the definition that parses the command line, so they cannot
//! differ from it.

use anyhow::{Context, bail};
use clap_complete::Shell;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        bail!("where to write? pages FOLDER");
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let definition = mm_query::cli::definition();
    clap_mangen::generate_to(definition.clone(), &folder).context("the manual pages")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut definition.clone(), "mm-query", &folder)
            .context("a completion")?;
    }
    Ok(())
}
