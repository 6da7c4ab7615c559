//! `--install` and `--remove`: tried in a private copy first, then done in one go or not at all.

use crate::answer::one_line;
use crate::cli::args::EximSetup;
use crate::cli::exim_setup::choose::{self, Chosen};
use crate::cli::exim_setup::journal::Journal;
use crate::cli::exim_setup::plan::{Step, Tree, Wanted};
use crate::cli::exim_setup::stage::{self, Stage};
use crate::cli::exim_setup::{Machine, debian, printed, refused, unanswered};
use crate::cli::{Failure, Outcome};
use crate::exim::ask::{self, Exim};
use crate::exim::layout::{DEBIAN, Layout};
use crate::exim::settings;
use crate::exim::snippets::{self, Choices, DEFAULT_WRAPPER};
use crate::exim::verify::{self, Told};
use crate::exit::Status;
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Both commands, as root.
pub(super) fn run(args: &EximSetup, machine: &Machine) -> Result<Outcome, Failure> {
    if !machine.layout.is_debian() {
        return Ok(refused(&[
            format!(
                "this Exim's configuration is not made by Debian's generator: {}",
                machine.layout
            ),
            "`mm-query exim-setup` prints what to add to it, or to take out of it".to_owned(),
        ]));
    }
    let _lock = lock(Path::new(DEBIAN))?;
    let tree = Tree::look(Path::new(DEBIAN));
    let stage = Stage::new()?;
    let work = Work { args, machine, tree, stage, split: machine.layout == Layout::DebianSplit };
    if args.remove { work.remove() } else { work.install() }
}

/// One at a time. A lock on the folder itself leaves no file behind.
fn lock(folder: &Path) -> Result<OwnedFd, Failure> {
    let failed = |error: rustix::io::Errno| {
        let what = format!("cannot lock {}", folder.display());
        Failure(Status::Config, anyhow::Error::from(error).context(what))
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let handle = rustix::fs::open(folder, flags, Mode::empty()).map_err(failed)?;
    match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(handle),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(Failure::new(Status::TryAgain, "another exim-setup is at work"))
        }
        Err(error) => Err(failed(error)),
    }
}

struct Work<'a> {
    args: &'a EximSetup,
    machine: &'a Machine,
    tree: Tree,
    stage: Stage,
    split: bool,
}

impl Work<'_> {
    fn install(&self) -> Result<Outcome, Failure> {
        let places = Choices { split: self.split, settings: "", own_hook: false };
        let foreign = self.tree.foreign(&snippets::debian(&self.tree.base, places));
        if !foreign.is_empty() {
            return Ok(refused(&foreign));
        }
        let present = self.stage.present()?;
        let before = match self.present(&self.machine.exim.reading(&present))? {
            Ok(before) => before,
            Err(lines) => return Ok(refused(&lines)),
        };
        let exim = self.machine.exim.reading(&present);
        let old = self.tree.settings();
        let Chosen { settings, notes } =
            choose::for_installing(self.args, &exim, &self.machine.layout, old.as_deref())?;
        let mut lines = debian::own_acls(&self.tree, &before.macros, &settings);
        let hook = match debian::own_hook(&self.tree, &before.macros) {
            Ok(hook) => hook.filter(|_| !self.split),
            Err(_) if self.split => None,
            Err(more) => {
                lines.extend(more);
                None
            }
        };
        if !lines.is_empty() {
            return Ok(refused(&lines));
        }
        let choices = Choices { split: self.split, settings: &settings, own_hook: hook.is_some() };
        let wanted = Wanted { choices, edit_localmacros: self.args.edit_localmacros };
        let (first, last) = match self.tree.plan(Some(wanted)) {
            Ok(steps) => steps,
            Err(lines) => return Ok(refused(&lines)),
        };
        let candidate =
            self.stage.candidate(&self.tree, Some(wanted), self.split, hook.as_deref())?;
        let candidate = self.machine.exim.reading(&candidate);
        if let Some(refusal) = self.refusal(&candidate, Told::faults) {
            return Ok(refusal);
        }
        let mut report = Report::new(self.machine);
        report.line("checked", "Exim takes the new configuration, the snippets are complete in it");
        report.pending(&present, self.tree.has_ours());
        let live = stage::is_live(&present);
        let outcome = self.go_live(first, last, live, &mut report, Told::faults)?;
        if let Some(refusal) = outcome {
            return Ok(refusal);
        }
        report.notes(&notes);
        report.notes(&missing_wrapper(&settings));
        self.reload(&mut report)?;
        Ok(printed(report.text))
    }

    fn remove(&self) -> Result<Outcome, Failure> {
        let mut report = Report::new(self.machine);
        if !self.tree.has_ours() {
            report.line("nothing", "there is nothing that exim-setup wrote");
            return Ok(printed(report.text));
        }
        let (first, last) = match self.tree.plan(None) {
            Ok(steps) => steps,
            Err(lines) => return Ok(refused(&lines)),
        };
        let present = self.machine.exim.reading(&self.stage.present()?);
        let hook = present.macros().ok().and_then(|m| debian::own_hook(&self.tree, &m).ok());
        let hook = hook.flatten().filter(|_| !self.split);
        let candidate = self.stage.candidate(&self.tree, None, self.split, hook.as_deref())?;
        if let Some(refusal) = self.refusal(&self.machine.exim.reading(&candidate), remains) {
            return Ok(refusal);
        }
        report.line("checked", "Exim takes the new configuration, nothing of ours is in it");
        for definition in self.tree.defined() {
            report.line("setting", &definition);
        }
        let outcome = self.go_live(first, last, false, &mut report, remains)?;
        if let Some(refusal) = outcome {
            return Ok(refusal);
        }
        self.reload(&mut report)?;
        Ok(printed(report.text))
    }

    /// What the configuration comes to that the generator makes of what is there, or why there is
    /// no point in adding to it. That of an earlier installation may be broken: it is replaced.
    fn present(&self, exim: &Exim) -> Result<Result<Told, Vec<String>>, Failure> {
        let told = exim.check().and_then(|()| verify::ask(exim));
        let ours = self.tree.has_ours();
        match told {
            Ok(told) if told.has_ours() && !ours => Ok(Err(vec![
                "the snippets are in Exim's configuration already, and exim-setup did not put them \
                 there"
                    .to_owned(),
                "take them out first (every line that names mm-query or MMQ_); nothing was changed"
                    .to_owned(),
            ])),
            Ok(told) => Ok(Ok(told)),
            Err(ask::Error::Configuration(_)) if ours => Ok(Ok(Told::default())),
            Err(ask::Error::Configuration(said)) => {
                let mut lines =
                    vec!["Exim refuses the present configuration; mend that first".to_owned()];
                lines.extend(self.stage.public(&said).lines().map(str::to_owned));
                Ok(Err(lines))
            }
            Err(error) => Err(unanswered(error)),
        }
    }

    /// Why a configuration cannot be used.
    fn refusal(&self, exim: &Exim, faults: fn(&Told) -> Vec<String>) -> Option<Outcome> {
        let faults = match exim.check().and_then(|()| verify::ask(exim)) {
            Ok(told) => faults(&told),
            Err(error) => {
                self.stage.public(&error.to_string()).lines().map(str::to_owned).collect()
            }
        };
        if faults.is_empty() {
            return None;
        }
        let mut lines =
            vec!["the new configuration does not work, nothing was changed:".to_owned()];
        lines.extend(faults);
        Some(refused(&lines))
    }

    /// Takes all steps, or none of them.
    fn go_live(
        &self,
        first: Vec<Step>,
        last: Vec<Step>,
        live: bool,
        report: &mut Report,
        faults: fn(&Told) -> Vec<String>,
    ) -> Result<Option<Outcome>, Failure> {
        if first.is_empty() && last.is_empty() && live {
            report.line("nothing", "everything is in place already");
            return Ok(None);
        }
        let mut journal = Journal::default();
        let folder = self.tree.folder();
        if first.iter().any(|step| step.after.is_some() && step.path.starts_with(&folder)) {
            journal.folder(&folder)?;
        }
        for step in &first {
            journal.take(step)?;
        }
        stage::generate_live()?;
        for step in &last {
            journal.take(step)?;
        }
        if let Some(refusal) = self.refusal(&self.machine.exim, faults) {
            drop(journal);
            stage::generate_live()?;
            return Ok(Some(refusal));
        }
        for step in journal.keep() {
            let what = if step.after.is_some() { "written" } else { "removed" };
            report.line(what, &step.path.display().to_string());
        }
        // Only if nothing is left in it.
        let _ = std::fs::remove_dir(&folder);
        report.line("live", "update-exim4.conf has made Exim's configuration anew");
        report.changed = true;
        Ok(None)
    }

    fn reload(&self, report: &mut Report) -> Result<(), Failure> {
        if !report.changed && !self.args.reload {
            return Ok(());
        }
        if !self.args.reload {
            report
                .line("to do", "the running daemon goes on with the old one: service exim4 reload");
            return Ok(());
        }
        match daemon(&self.machine.exim)? {
            Some(pid) => {
                rustix::process::kill_process(pid, rustix::process::Signal::HUP)
                    .map_err(|error| Failure(Status::Config, anyhow::Error::from(error)))?;
                report
                    .line("reloaded", &format!("Exim's daemon, process {}", pid.as_raw_nonzero()));
            }
            None => report.line("reload", "no Exim daemon is running"),
        }
        Ok(())
    }
}

/// Without it, every post is accepted unchecked (or deferred), which the log tells.
fn missing_wrapper(settings: &str) -> Option<String> {
    let path = settings::value(settings, "MMQ_WRAPPER").unwrap_or(DEFAULT_WRAPPER);
    let missing = path.starts_with('/') && !Path::new(path).exists();
    missing.then(|| format!("there is no {path}: until there is, no post can be checked"))
}

/// What a configuration still has of ours.
fn remains(told: &Told) -> Vec<String> {
    let why = "the snippets are still in it: a line that exim-setup did not write includes them";
    if told.has_ours() { vec![why.to_owned()] } else { Vec::new() }
}

/// The running daemon: the process that its file names, if that is an Exim.
fn daemon(exim: &Exim) -> Result<Option<rustix::process::Pid>, Failure> {
    let name = "pid_file_path";
    let options = exim.options(&[name]).map_err(unanswered)?;
    let Some(file) = options.get(name) else { return Ok(None) };
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let Some(pid) = text.trim().parse().ok().and_then(rustix::process::Pid::from_raw) else {
        return Ok(None);
    };
    let running = std::fs::read_link(format!("/proc/{}/exe", pid.as_raw_nonzero())).ok();
    let program = exim.program().canonicalize().ok();
    Ok((running.is_some() && running == program).then_some(pid))
}

/// What was done, a line each.
struct Report {
    text: String,
    changed: bool,
}

impl Report {
    fn new(machine: &Machine) -> Report {
        let text = format!("Exim {}: {}\n", machine.version, machine.layout);
        Report { text, changed: false }
    }

    fn line(&mut self, what: &str, text: &str) {
        self.text.push_str(&format!("{what:<9} {}\n", one_line(text)));
    }

    fn notes<'n>(&mut self, notes: impl IntoIterator<Item = &'n String>) {
        notes.into_iter().for_each(|note| self.line("note", note));
    }

    /// Changes of the site's own that go live together with ours.
    fn pending(&mut self, present: &Path, installed: bool) {
        if !installed && !stage::is_live(present) {
            self.line(
                "note",
                "changes of yours that update-exim4.conf was not run for go live, too",
            );
        }
    }
}
