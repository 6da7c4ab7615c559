//! The Debian package, from installation to purge, in a machine of its own.
//!
//! `MMQ_TEST_DEB` names a folder with the package; without it the package is built.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::config::repository;
use crate::machine::Machine;
use crate::setup::{assert_same, post};

const WRAPPER: &str = "/usr/lib/mm-query/mm-query-wrapper";
const CONF: &str = "/etc/mm-query/wrapper.conf";

/// Folders that the package and its set-up write to. `dpkg` keeps its own books elsewhere.
const ROOTS: [&str; 6] = [
    "/etc",
    "/usr/bin",
    "/usr/lib/mm-query",
    "/usr/share/mm-query",
    "/usr/share/man/man1",
    "/usr/share/bash-completion/completions",
];

/// The package file.
fn package() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = std::env::var_os("MMQ_TEST_DEB").map_or_else(build, PathBuf::from);
        let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut packages = files.filter(|path| path.extension().is_some_and(|e| e == "deb"));
        packages.next().unwrap_or_else(|| panic!("no package in {}", folder.display()))
    })
}

/// As shipped, but for what takes the compiler minutes.
const QUICKLY_BUILT: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")];

fn build() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deb");
    let run = Command::new(repository().join("tools/make_deb"))
        .arg(&folder)
        .envs(QUICKLY_BUILT)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    folder
}

/// Installs the package, as an administrator would who has the file.
fn install(machine: &Machine) {
    let target = machine.path("/var/tmp/mm-query.deb");
    std::fs::copy(package(), target).unwrap();
    machine.sh("dpkg --install /var/tmp/mm-query.deb 2>&1");
}

fn from_installation_to_purge(split: bool) {
    let Some(machine) = Machine::without_programs(split) else { return };
    for root in ROOTS {
        std::fs::create_dir_all(machine.path(root)).unwrap();
    }
    let before = machine.snapshot_of(&ROOTS);
    install(&machine);
    assert_installed(&machine);

    let said = machine.sh("mm-query exim-setup --install --domains=lists.example.org");
    assert!(said.contains("/etc/exim4/mm-query/settings"), "{said}");
    let exim = machine.start_exim();
    post(&exim, true);
    let doctor = machine.run("/usr/bin/mm-query", &["doctor", "--json"]);
    for of in ["wrapper", "exim", "query"] {
        let bad = format!("\"level\":\"problem\",\"subject\":\"{of}\"");
        assert!(!doctor.stdout.replace(' ', "").contains(&bad), "{}", doctor.stdout);
    }

    // An upgrade keeps what the administrator has said.
    machine.sh(&format!("echo caller-uid = 0 >> {CONF}; dpkg-statoverride --remove {WRAPPER}"));
    machine.sh(&format!("dpkg-statoverride --update --add root list 0750 {WRAPPER}"));
    let conf = machine.read(CONF);
    install(&machine);
    assert_eq!(machine.read(CONF), conf);
    let about = machine.path(WRAPPER).metadata().unwrap();
    assert_eq!((about.mode() & 0o7777, about.gid()), (0o750, machine.account("list").1));

    machine.sh("dpkg --remove mm-query 2>&1");
    let asked = machine.sh("exim4 -bP acl_smtp_data");
    assert_eq!(asked, "acl_smtp_data = acl_check_data\n");
    machine.sh("dpkg --purge mm-query 2>&1");
    let mut after = machine.snapshot_of(&ROOTS[..1]);
    for root in &ROOTS[1..] {
        // dpkg takes an empty folder with it.
        if machine.path(root).exists() {
            after.extend(machine.snapshot_of(&[root]));
        }
    }
    assert_same(&after, &before);
    let left = machine.sh(&format!("dpkg-statoverride --list {WRAPPER} || true"));
    assert_eq!(left, "");
}

fn assert_installed(machine: &Machine) {
    let about = machine.path(WRAPPER).metadata().unwrap();
    let (_, exim) = machine.account("Debian-exim");
    assert_eq!((about.mode() & 0o7777, about.uid(), about.gid()), (0o4750, 0, exim));
    assert!(about.len() < 700_000, "{} bytes", about.len());
    let (uid, gid) = machine.account("list");
    let conf = machine.read(CONF);
    assert!(conf.contains(&format!("\nuid = {uid}\ngid = {gid}\n")), "{conf}");
    for file in [
        "man/man1/mm-query.1.gz",
        "man/man1/mm-query-test-sender.1.gz",
        "man/man5/mm-query.toml.5.gz",
        "man/man8/mm-query-wrapper.8.gz",
        "bash-completion/completions/mm-query",
        "zsh/vendor-completions/_mm-query",
        "fish/vendor_completions.d/mm-query.fish",
        "mm-query/exim/macros",
        "mm-query/exim/acl",
        "mm-query/exim/debian/settings",
    ] {
        assert!(machine.path("/usr/share").join(file).is_file(), "{file}");
    }
    // What is in the package is what the program has built in.
    let shown = machine.sh("mm-query exim-setup --show=acl");
    let file = machine.read("/usr/share/mm-query/exim/acl");
    // Its own first line aside, which marks a file as written by it.
    assert!(shown.split_once('\n').is_some_and(|(_, rest)| rest == file));
    assert!(machine.read("/etc/mm-query.toml").contains("#lists_dir"));
    machine.sh("apparmor_parser --skip-kernel-load --skip-cache /etc/apparmor.d/usr.lib.mm-query");
    let complete = r#"source /usr/share/bash-completion/completions/mm-query
        function=$(complete -p mm-query | sed 's/.*-F \([^ ]*\).*/\1/')
        COMP_WORDS=(mm-query test-se) COMP_CWORD=1
        $function mm-query test-se mm-query
        echo "${COMPREPLY[@]}""#;
    let run = machine.run("/bin/bash", &["-c", complete]);
    assert_eq!(run.stdout, "test-sender\n", "{run:?}");
}

#[test]
fn split_from_installation_to_purge() {
    from_installation_to_purge(true);
}

#[test]
fn unsplit_from_installation_to_purge() {
    from_installation_to_purge(false);
}

#[test]
fn make_install_and_uninstall() {
    let make = |args: &[&str]| {
        let run = Command::new("make")
            .args(args)
            .current_dir(repository())
            .envs(QUICKLY_BUILT)
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("DESTDIR")
            .output()
            .unwrap();
        assert!(run.status.success(), "{args:?}: {}", String::from_utf8_lossy(&run.stderr));
    };
    // That builds, too, and in the same place.
    package();
    let made = |what| repository().join("target/dist").join(what).exists();
    if !made("pages") || !made("mm-query-quick") {
        make(&["build", "pages"]);
    }
    let scratch = tempfile::tempdir().unwrap();
    let destination = format!("DESTDIR={}", scratch.path().display());
    make(&["install", "prefix=/opt/mmq", &destination]);
    let at = |path: &str| scratch.path().join(path);
    for program in ["opt/mmq/bin/mm-query", "opt/mmq/lib/mm-query/mm-query"] {
        let run = Command::new(at(program)).arg("--version").output().unwrap();
        assert!(run.status.success(), "{program}");
    }
    // Not setuid yet: with DESTDIR that is somebody else's step.
    let mode = at("opt/mmq/lib/mm-query/mm-query-wrapper").metadata().unwrap().mode();
    assert_eq!(mode & 0o7777, 0o755);
    let settings = at("etc/mm-query.toml");
    std::fs::write(&settings, "# mine\n").unwrap();
    make(&["install", "prefix=/opt/mmq", &destination]);
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), "# mine\n");
    make(&["uninstall", "prefix=/opt/mmq", &destination]);
    let left = Command::new("find").arg(scratch.path()).args(["-not", "-type", "d"]).output();
    let left = String::from_utf8(left.unwrap().stdout).unwrap();
    assert_eq!(left, format!("{}\n", settings.display()));
}
