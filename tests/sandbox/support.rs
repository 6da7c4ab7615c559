//! The program that tries things, and what it tries them on.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The program; with musl's library, the one that is built with it.
pub(crate) const MM_QUERY: &str = if cfg!(target_env = "musl") {
    env!("CARGO_BIN_EXE_mm-query-quick")
} else {
    env!("CARGO_BIN_EXE_mm-query")
};

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub(crate) fn sample_lists() -> String {
    format!("--lists-dir={}", fixtures().join("lists").display())
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// `examples/sandboxed.rs`, built.
pub(crate) fn sandboxed() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let own = std::env::current_exe().unwrap();
        // target/debug/deps/sandbox-..., or target/TARGET/debug/deps/sandbox-...
        let profile = own.ancestors().nth(2).unwrap();
        let mut target = profile.parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline", "--locked", "--example", "sandboxed"]);
        if cfg!(target_env = "musl") {
            cargo.arg("--target").arg(target.file_name().unwrap());
            target = target.parent().unwrap();
        }
        let status = cargo
            .args((!cfg!(debug_assertions)).then_some("--release"))
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "the example could not be built");
        profile.join("examples/sandboxed")
    })
}

/// Landlock's version on this kernel; 0 is none.
pub(crate) fn landlock() -> u32 {
    static ABI: OnceLock<u32> = OnceLock::new();
    *ABI.get_or_init(|| {
        let scene = Scene::new();
        let abi = scene.lines("none", &["landlock"])["landlock"].parse().unwrap();
        println!("Landlock {abi} on this kernel");
        assert!(abi > 0 || std::env::var_os("CI").is_none(), "CI must have Landlock");
        abi
    })
}

/// Lists, what lies outside, and somebody who listens.
pub(crate) struct Scene {
    dir: TempDir,
    _listeners: (TcpListener, UnixListener, UnixListener),
}

impl Scene {
    pub(crate) fn new() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        let team = dir.path().join("lists/team");
        fs::create_dir(&outside).unwrap();
        fs::create_dir_all(&team).unwrap();
        fs::copy(fixtures().join("lists/team/config.pck"), team.join("config.pck")).unwrap();
        fs::write(team.join("old"), "").unwrap();
        symlink("/etc/passwd", team.join("link")).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        fs::write(outside.join("port"), tcp.local_addr().unwrap().port().to_string()).unwrap();
        let unix = UnixListener::bind(outside.join("socket")).unwrap();
        let name = SocketAddr::from_abstract_name(outside.as_os_str().as_encoded_bytes()).unwrap();
        let hidden = UnixListener::bind_addr(&name).unwrap();
        Scene { dir, _listeners: (tcp, unix, hidden) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn command(&self, layer: &str, attempts: &[&str]) -> Command {
        let mut command = Command::new(sandboxed());
        command.arg(layer).arg(self.path().join("lists")).arg(self.path().join("outside"));
        command.args(attempts).stdin(Stdio::null());
        command
    }

    pub(crate) fn output(&self, layer: &str, attempts: &[&str]) -> Output {
        self.command(layer, attempts).output().unwrap()
    }

    /// What became of each attempt; `gap` for what could not be given up.
    pub(crate) fn lines(&self, layer: &str, attempts: &[&str]) -> BTreeMap<String, String> {
        let output = self.output(layer, attempts);
        assert!(output.status.success(), "{layer} {attempts:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let pair = |line: &str| {
            let (name, result) = line.split_once(' ').unwrap();
            (name.to_owned(), result.to_owned())
        };
        text.lines().map(pair).collect()
    }
}
