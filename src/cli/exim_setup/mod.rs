//! `mm-query exim-setup`: how to bring the snippets into this machine's Exim, and on Debian doing
//! it.

mod choose;
mod debian;
mod install;
mod journal;
mod plan;
mod stage;

use crate::answer::one_line;
use crate::cli::args::{EximSetup, LayoutName};
use crate::cli::{Failure, Outcome, admin};
use crate::exim::about::Version;
use crate::exim::ask::{Exim, PROGRAMS};
use crate::exim::instructions::{self, Facts};
use crate::exim::layout::{self, Layout};
use crate::exim::verify::ENTRIES;
use crate::exim::{ask, snippets};
use crate::exit::Status;
use crate::{files, limits};
use choose::Chosen;
use std::path::{Path, PathBuf};

/// The Exim of this machine.
struct Machine {
    exim: Exim,
    version: Version,
    layout: Layout,
}

/// Does what the options say.
pub(super) fn run(args: &EximSetup) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    if let Some(name) = &args.show {
        return Ok(printed(snippets::shared(name).unwrap_or_default()));
    }
    if let (Some(version), Some(layout)) = (args.exim_version, args.layout) {
        supported(version)?;
        let layout = named(layout);
        let settings = choose::without_looking(args, &layout)?;
        let facts = Facts { version, layout, settings: &settings, present: None };
        return Ok(printed(instructions::text(&facts)));
    }
    let machine = Machine::find(args)?;
    if args.install || args.remove {
        admin::is_root(if args.install { "--install" } else { "--remove" })?;
        return install::run(args, &machine);
    }
    print(args, &machine)
}

fn printed(stdout: String) -> Outcome {
    Outcome { stdout, ..Outcome::default() }
}

/// Several lines on standard error, and a status that is no success.
fn refused(lines: &[String]) -> Outcome {
    let stderr = lines.iter().map(|line| format!("mm-query: {}\n", one_line(line))).collect();
    Outcome { status: Some(Status::Config), stdout: String::new(), stderr }
}

fn supported(version: Version) -> Result<(), Failure> {
    if version.is_supported() {
        return Ok(());
    }
    let oldest = Version::OLDEST;
    let why = format!("Exim {version} is too old for the snippets, which need {oldest} or later");
    Err(Failure::new(Status::Config, why))
}

/// The layout of this name; the file is Red Hat's.
fn named(name: LayoutName) -> Layout {
    match name {
        LayoutName::DebianSplit => Layout::DebianSplit,
        LayoutName::DebianUnsplit => Layout::DebianUnsplit,
        LayoutName::OneFile => Layout::OneFile(PathBuf::from("/etc/exim/exim.conf")),
        LayoutName::Cpanel => Layout::Cpanel,
    }
}

/// Exim's failure to answer as ours.
fn unanswered(error: ask::Error) -> Failure {
    let status = match &error {
        ask::Error::Process(crate::process::Error::TooSlow(_)) => Status::TryAgain,
        _ => Status::Config,
    };
    Failure(status, error.into())
}

impl Machine {
    fn find(args: &EximSetup) -> Result<Machine, Failure> {
        let exim = Exim::find(args.exim.as_deref()).ok_or_else(|| {
            let places = PROGRAMS.join(", ");
            Failure::new(Status::Config, format!("no Exim at {places}: say where by --exim"))
        })?;
        let about = exim.about().map_err(unanswered)?;
        supported(about.version)?;
        let answers = Path::new(layout::DEBIAN).join(layout::DEBIAN_ANSWERS);
        let answers = files::read(&answers, limits::CONFIGURATION_BYTES).ok().flatten();
        let answers = answers.map(|file| file.text());
        let configuration = match about.configuration {
            Some(configuration) => configuration,
            // It may be an earlier installation that is broken, and is mended or removed now.
            None if args.install || args.remove => PathBuf::from(layout::GENERATED),
            None => {
                let said = exim.check().err().map_or_else(String::new, |error| error.to_string());
                let why =
                    format!("Exim refuses its present configuration, mend that first: {said}");
                return Err(Failure::new(Status::Config, why));
            }
        };
        let cpanel = Path::new(layout::CPANEL).is_dir();
        let layout = Layout::tell(&configuration, answers.as_deref(), cpanel);
        Ok(Machine { exim, version: about.version, layout })
    }
}

fn print(args: &EximSetup, machine: &Machine) -> Result<Outcome, Failure> {
    let options = machine.exim.options(&ENTRIES.map(|entry| entry.option)).unwrap_or_default();
    let value = |name: &str| options.get(name).cloned();
    let [rcpt, data] = ENTRIES.map(|entry| value(entry.option));
    let installed = rcpt.as_deref() == Some(ENTRIES[0].ours);
    let present = rcpt.zip(data).map(|(rcpt, data)| [rcpt, data]).filter(|_| !installed);
    let old = debian::installed_settings(Path::new(layout::DEBIAN));
    let Chosen { settings, notes } =
        choose::for_printing(args, machine, old.as_deref(), present.as_ref())?;
    let facts = Facts {
        version: machine.version,
        layout: machine.layout.clone(),
        settings: &settings,
        present,
    };
    let mut text = String::new();
    if installed {
        text.push_str("Exim asks mm-query already (acl_smtp_rcpt is mmq_rcpt). To do it anew:\n\n");
    }
    text.push_str(&instructions::text(&facts));
    let notes = notes.iter().map(|note| format!("mm-query: note: {}\n", one_line(note)));
    Ok(Outcome { stdout: text, stderr: notes.collect(), status: None })
}
