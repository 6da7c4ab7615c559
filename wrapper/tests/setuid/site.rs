//! A private installation of the wrapper, and unprivileged callers to run it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
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
        let dir = base().join("mm-query-wrapper-tests");
        fs::create_dir_all(&dir).unwrap();
        let meta = fs::symlink_metadata(&dir).unwrap();
        assert!(meta.is_dir() && meta.uid() == 0 && meta.mode() & 0o022 == 0, "{}", dir.display());
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        let turn = File::create(dir.join("turn")).unwrap();
        turn.lock().unwrap();
        // Only now: a process started while another test copies the wrapper would hold it open.
        for tool in ["setpriv", "perl", "unshare", "prlimit", "mount"] {
            if !has_tool(tool) {
                return skip(&format!("needs {tool}"));
            }
        }
        let site = Self { dir, _turn: turn };
        site.install();
        Some(site)
    }

    fn install(&self) {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        let built = BUILT.get_or_init(|| build(&self.conf(), &self.program()));
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
        remove(&self.wrapper());
        fs::copy(built.join("mm-query-wrapper"), self.wrapper()).unwrap();
        set_mode(&self.wrapper(), 0, EXIM_GID, 0o4750);
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

    /// Runs the wrapper as the mail server, with `args`.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let mut command = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]);
        output(command.arg(self.wrapper()).args(args))
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

fn skip(why: &str) -> Option<Site> {
    assert!(env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped: {why}");
    None
}

fn has_tool(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Where everybody may go and setuid works: /tmp is mounted nosuid on many machines, and a target
/// directory below /root is closed to other users.
fn base() -> PathBuf {
    let candidates = [env!("CARGO_TARGET_TMPDIR"), "/var/tmp", "/var/lib", "/opt", "/run"];
    let found = candidates.into_iter().map(Path::new).find(|dir| is_suitable(dir));
    found.expect("no directory that everybody may enter, on a file system without nosuid").into()
}

fn is_suitable(dir: &Path) -> bool {
    use rustix::fs::{StatVfsMountFlags as Flags, statvfs};
    let _ = fs::create_dir_all(dir);
    let mounted = statvfs(dir).is_ok_and(|fs| !fs.f_flag.intersects(Flags::NOSUID | Flags::RDONLY));
    let mut ways = dir.ancestors().map(fs::metadata);
    mounted && ways.all(|way| way.is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o001 != 0))
}

/// Builds the wrapper with the site's paths in it, and the program that it will run.
fn build(conf: &Path, program: &Path) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build");
    let release = !cfg!(debug_assertions);
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .args(["--bin", "mm-query-wrapper", "--example", "show_state", "--target-dir"])
        .arg(&target)
        .args(release.then_some("--release"))
        .env("MMQ_WRAPPER_CONF", conf)
        .env("MMQ_WRAPPER_PROGRAM", program)
        .status()
        .unwrap();
    assert!(status.success(), "the wrapper for the tests could not be built");
    let triple = env::var_os("CARGO_BUILD_TARGET").unwrap_or_default();
    target.join(triple).join(if release { "release" } else { "debug" })
}
