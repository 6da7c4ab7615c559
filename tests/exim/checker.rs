//! What a test puts at the wrapper's place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The command that Exim runs.
pub(crate) enum Checker {
    /// `mm-query` itself, told where the lists are.
    Program,
    /// A command that is installed already.
    At(PathBuf),
    /// A shell script, for what goes wrong.
    Script(String),
    /// Nothing at all.
    Missing,
}

/// Puts the command below `directory` and returns its path.
pub(crate) fn install(checker: &Checker, directory: &Path) -> PathBuf {
    let path = directory.join("wrapper");
    match checker {
        Checker::At(command) => return command.clone(),
        Checker::Program => {
            let program = install_program(directory);
            let lists = directory.join("lists");
            let script =
                format!("exec {} \"$@\" --lists-dir={}", program.display(), lists.display());
            write_script(&path, &script);
        }
        Checker::Script(script) => write_script(&path, script),
        Checker::Missing => {}
    }
    path
}

/// Writes an executable shell script.
fn write_script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Gives `mm-query` a name below `directory`: other users may not reach the build folder.
pub(crate) fn install_program(directory: &Path) -> PathBuf {
    let built = std::env::var_os("MMQ_TEST_PROGRAM")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_mm-query")), PathBuf::from);
    let installed = directory.join("mm-query");
    if fs::hard_link(&built, &installed).is_err() {
        fs::copy(&built, &installed).expect("mm-query is built");
    }
    installed
}
