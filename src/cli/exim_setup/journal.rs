//! Steps taken, and taken back unless all went well.

use crate::cli::Failure;
use crate::cli::exim_setup::plan::Step;
use crate::exit::Status;
use crate::files;
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

/// What has been changed so far. Dropped before [`Journal::keep`], it puts everything back.
#[derive(Debug, Default)]
pub(super) struct Journal {
    taken: Vec<Step>,
    made: Vec<PathBuf>,
    /// What could not be put back, for whoever still listens.
    kept: bool,
}

impl Journal {
    /// Makes a folder, unless it is there.
    pub(super) fn folder(&mut self, path: &Path) -> std::result::Result<(), Failure> {
        match std::fs::create_dir(path) {
            Ok(()) => self.made.push(path.to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(failed(path, error)),
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).map_err(|error| failed(path, error))
    }

    /// Takes a step.
    pub(super) fn take(&mut self, step: &Step) -> std::result::Result<(), Failure> {
        put(&step.path, step.after.as_ref()).map_err(|error| failed(&step.path, error))?;
        self.taken.push(step.clone());
        Ok(())
    }

    /// All went well.
    pub(super) fn keep(mut self) -> Vec<Step> {
        self.kept = true;
        std::mem::take(&mut self.taken)
    }
}

fn failed(path: &Path, error: std::io::Error) -> Failure {
    let what = anyhow::Error::from(error).context(format!("cannot change {}", path.display()));
    Failure(Status::Config, what.context("nothing was changed"))
}

fn put(path: &Path, file: Option<&files::Regular>) -> Result<()> {
    match file {
        Some(file) => files::replace(path, file),
        None => files::remove(path),
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // Nothing better than going on can be done about a failure here.
        for step in self.taken.iter().rev() {
            let _ = put(&step.path, step.before.as_ref());
        }
        for folder in self.made.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Regular;

    fn file(text: &str) -> Option<Regular> {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        Some(Regular { uid, gid, ..Regular::of_root(text) })
    }

    fn step(path: PathBuf, before: Option<Regular>, after: Option<Regular>) -> Step {
        Step { path, before, after }
    }

    /// Three steps, the last of which fails if `fail`.
    fn run(dir: &Path, fail: bool) -> std::result::Result<Vec<Step>, Failure> {
        let mut journal = Journal::default();
        journal.folder(&dir.join("new"))?;
        journal.take(&step(dir.join("new/made"), None, file("made")))?;
        journal.take(&step(dir.join("changed"), file("old"), file("new")))?;
        let gone = if fail { dir.join("full") } else { dir.join("gone") };
        journal.take(&step(gone, file("there"), None))?;
        Ok(journal.keep())
    }

    fn seen(dir: &Path) -> Vec<(String, String)> {
        let mut all: Vec<_> = ["new", "new/made", "changed", "gone"]
            .iter()
            .map(|name| (*name, dir.join(name)))
            .filter(|(_, path)| path.exists())
            .map(|(name, path)| {
                (name.to_owned(), std::fs::read_to_string(path).unwrap_or_default())
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn all_steps_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        for (name, text) in [("changed", "old"), ("gone", "there")] {
            files::replace(&dir.join(name), &file(text).unwrap()).unwrap();
        }
        // A folder is no file that could be removed.
        std::fs::create_dir_all(dir.join("full/x")).unwrap();
        let before = seen(dir);
        let Err(Failure(status, why)) = run(dir, true) else { panic!("a folder was removed") };
        assert_eq!(status, Status::Config);
        assert!(format!("{why:#}").starts_with("nothing was changed: cannot change "), "{why:#}");
        assert_eq!(seen(dir), before);
        assert_eq!(run(dir, false).unwrap().len(), 3);
        let own = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(seen(dir), [own("changed", "new"), own("new", ""), own("new/made", "made")]);
    }
}
