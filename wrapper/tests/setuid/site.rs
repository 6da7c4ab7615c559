//! A private installation of the wrapper, and unprivileged callers to run it.

use crate::build;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, io};

/// The list's ids, the mail server's, a group the server is also in, and somebody else's. Numbers
/// only, and none that a system hands out: no account needs to exist.
pub(crate) const LIST_UID: u32 = 38_123;
pub(crate) const LIST_GID: u32 = 38_124;
pub(crate) const EXIM_UID: u32 = 61_002;
pub(crate) const EXIM_GID: u32 = 61_005;
pub(crate) const EXTRA_GID: u32 = 61_006;
pub(crate) const STRANGER: u32 = 61_900;

/// The configuration that [`Site::new`] installs.
pub(crate) const CONF: &str = "uid = 38123\ngid = 38124\n";

/// An installation in a directory that only root can write. There is one, since its paths are
/// built into the wrapper: tests take turns, across threads and processes.
pub(crate) struct Site {
    dir: PathBuf,
    _turn: File,
}

impl Site {
    /// A fresh installation, `root:EXIM_GID` mode 4750; None (with the reason printed) where it
    /// cannot be made, which is a failure in CI.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return skip("needs root, to install a setuid file");
        }
        let dir = build::base().join("mm-query-wrapper-tests");
        fs::create_dir_all(&dir).unwrap();
        let meta = fs::symlink_metadata(&dir).unwrap();
        assert!(meta.is_dir() && meta.uid() == 0 && meta.mode() & 0o022 == 0, "{}", dir.display());
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        let turn = File::create(dir.join("turn")).unwrap();
        turn.lock().unwrap();
        // Only now: a process started while another test copies the wrapper would hold it open.
        build::tools()?;
        let site = Self { dir, _turn: turn };
        site.install();
        Some(site)
    }

    fn install(&self) {
        let built = build::built(&self.conf(), &self.program());
        for shared in [self.path("report"), self.path("scratch")] {
            remove(&shared);
            fs::create_dir(&shared).unwrap();
            set_mode(&shared, 0, 0, 0o1777);
        }
        remove(&self.conf());
        fs::write(self.conf(), CONF).unwrap();
        set_mode(&self.conf(), 0, 0, 0o644);
        remove(&self.program());
        fs::copy(built.join("examples/show_state"), self.program()).unwrap();
        set_mode(&self.program(), 0, 0, 0o755);
        self.install_wrapper(built);
    }

    fn install_wrapper(&self, built: &Path) {
        remove(&self.wrapper());
        fs::copy(built.join("mm-query-wrapper"), self.wrapper()).unwrap();
        set_mode(&self.wrapper(), 0, EXIM_GID, 0o4750);
    }

    /// A fresh installation whose wrapper waits for a second only.
    pub(crate) fn quick() -> Option<Self> {
        let site = Self::new()?;
        site.install_wrapper(build::built_quick(&site.conf(), &site.program()));
        Some(site)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn wrapper(&self) -> PathBuf {
        self.path("mm-query-wrapper")
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.path("wrapper.conf")
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.path("mm-query")
    }

    /// What the program wrote down about itself, if it was run since the last call.
    pub(crate) fn report(&self) -> Option<Report> {
        let file = self.path("report/state");
        let text = fs::read_to_string(&file).ok()?;
        fs::remove_file(&file).unwrap();
        Some(Report(text))
    }

    /// The wrapper, to be run as the mail server, with `args`.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]);
        command.arg(self.wrapper()).args(args);
        command
    }

    /// Runs the wrapper as the mail server, with `args`.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        output(&mut self.command(args))
    }

    /// Runs the wrapper as the mail server from a Perl program that first does `deeds`; there,
    /// `@ARGV` is the wrapper's path and arguments, and `%ENV` its environment.
    pub(crate) fn run_after(&self, deeds: &str, args: &[&str]) -> Output {
        output(self.after(as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]), deeds).args(args))
    }

    /// `launcher`, running Perl for `deeds` and then the wrapper.
    pub(crate) fn after(&self, mut launcher: Command, deeds: &str) -> Command {
        // $^F: no descriptor is closed on exec. Status 126 if the wrapper could not be executed.
        let script = format!("BEGIN {{ $^F = 100000 }} {deeds}; exec {{$ARGV[0]}} @ARGV; exit 126");
        launcher.args(["perl", "-MPOSIX", "-e"]).arg(script).arg(self.wrapper());
        launcher
    }

    /// Asserts that the wrapper refused with `status` and one line that names the wrapper and
    /// contains `reason`, and that nothing was run.
    pub(crate) fn assert_refused(&self, output: &Output, status: i32, reason: &str) {
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert!(text.starts_with("mm-query-wrapper: ") && text.contains(reason), "{output:?}");
        assert!(
            text.trim_end_matches('\n').bytes().all(|b| (b' '..=b'~').contains(&b)),
            "{text:?}"
        );
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(self.report().is_none(), "the program was run");
    }

    /// Asserts success in silence and gives the program's report.
    pub(crate) fn assert_run(&self, output: &Output) -> Report {
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
        self.report().expect("the program was not run")
    }
}

impl Drop for Site {
    /// No set-id file outlives its test.
    fn drop(&mut self) {
        for file in [self.wrapper(), self.program()] {
            let _ = fs::remove_file(file);
        }
    }
}

/// Lines of `kind value`.
#[derive(Debug)]
pub(crate) struct Report(String);

impl Report {
    pub(crate) fn all(&self, kind: &str) -> Vec<&str> {
        let lines = self.0.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(found, _)| *found == kind).map(|(_, value)| value).collect()
    }

    /// A field of /proc/self/status.
    pub(crate) fn status(&self, field: &str) -> &str {
        let lines = self.all("status").into_iter().filter_map(|line| line.split_once(':'));
        let found = lines.into_iter().find(|(name, _)| *name == field);
        found.unwrap_or_else(|| panic!("no {field}")).1.trim()
    }

    /// Asserts real, effective, saved and file system id.
    pub(crate) fn assert_ids(&self, uid: u32, gid: u32) {
        let four = |id: u32| [id.to_string(), id.to_string(), id.to_string(), id.to_string()];
        assert_eq!(self.status("Uid"), four(uid).join("\t"));
        assert_eq!(self.status("Gid"), four(gid).join("\t"));
    }

    pub(crate) fn assert_no_capabilities(&self, sets: &[&str]) {
        for set in sets {
            assert_eq!(self.status(set), "0000000000000000", "{set}");
        }
    }
}

/// A command run as this user, in these groups.
pub(crate) fn as_user(uid: u32, gid: u32, groups: &[u32]) -> Command {
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}"));
    let groups: Vec<_> = groups.iter().map(u32::to_string).collect();
    match groups.is_empty() {
        true => command.arg("--clear-groups"),
        false => command.arg(format!("--groups={}", groups.join(","))),
    };
    command
}

/// Runs to the end. Whatever happens, Rust's own ways of dying are never seen.
pub(crate) fn output(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{output:?}");
    assert!(![Some(101), Some(134)].contains(&output.status.code()), "{output:?}");
    output
}

pub(crate) fn set_mode(path: &Path, uid: u32, gid: u32, mode: u32) {
    chown(path, Some(uid), Some(gid)).unwrap();
    // After the owner, whose change clears the set-id bits.
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Removes a file, link, FIFO or directory.
pub(crate) fn remove(path: &Path) {
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path).unwrap();
    } else if let Err(error) = fs::remove_file(path) {
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{}", path.display());
    }
}

pub(crate) fn skip<T>(why: &str) -> Option<T> {
    assert!(env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped: {why}");
    None
}
