//! Builds what the tests install, and finds a place for it.

use crate::site::skip;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Optimised, stripped and linked as `make build` does it: that is what people install.
const PROFILE: &str = "release";

/// The wrapper with the site's paths in it and with its own time limit, and the program that it will
/// run.
pub(crate) fn built(conf: &Path, program: &Path) -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let what = ["--bin", "mm-query-wrapper", "--example", "show_state"];
    BUILT.get_or_init(|| build("build", &what, conf, program, false))
}

/// The wrapper with a limit of a second instead of twenty.
pub(crate) fn built_quick(conf: &Path, program: &Path) -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let what = ["--bin", "mm-query-wrapper"];
    BUILT.get_or_init(|| build("build-quick", &what, conf, program, true))
}

fn build(name: &str, what: &[&str], conf: &Path, program: &Path, quick: bool) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--offline", "--profile", PROFILE, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .args(what)
        .arg("--target-dir")
        .arg(&target)
        .args(["--target", quick_target()])
        .env("MMQ_WRAPPER_CONF", conf)
        .env("MMQ_WRAPPER_PROGRAM", program)
        .env_remove("MMQ_WRAPPER_QUICK");
    if quick {
        cargo.env("MMQ_WRAPPER_QUICK", "1");
    }
    assert!(cargo.status().unwrap().success(), "the wrapper for the tests could not be built");
    target.join(quick_target()).join(PROFILE)
}

/// What `make build` builds the wrapper for.
pub(crate) fn quick_target() -> &'static str {
    static TARGET: OnceLock<String> = OnceLock::new();
    TARGET.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/quick_target");
        let ran = Command::new(script).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    })
}

/// None, with the reason printed, if something is missing.
pub(crate) fn tools() -> Option<()> {
    for tool in ["setpriv", "perl", "unshare", "prlimit", "mount", "strace"] {
        if !Command::new(tool).arg("--version").output().is_ok_and(|it| it.status.success()) {
            return skip(&format!("needs {tool}"));
        }
    }
    Some(())
}

/// Where everybody may go and setuid works: /tmp is mounted nosuid on many machines, and a target
/// directory below /root is closed to other users.
pub(crate) fn base() -> PathBuf {
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
