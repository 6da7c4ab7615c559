//! The whole chain as it is installed: Exim, the setuid wrapper, the program as the list user.
//!
//! The lists can be read by the list user only, and the wrapper can be run by Exim's group only.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{StatVfsMountFlags as Flags, statvfs};
use tempfile::TempDir;

use crate::checker::{Checker, install_program};
use crate::config::{Site, repository};
use crate::server::{account, copy_lists, exim_binary, start};
use crate::smtp::message;

/// What an administrator installs.
struct Installation {
    directory: TempDir,
}

/// Stands where the wrapper looks for `mm-query`, which has no other way to learn of these lists.
const SHIM: &str = r#"
use std::os::unix::process::CommandExt;
fn main() {
    let args = std::env::args_os().skip(1);
    let error = std::process::Command::new("@DIR@/mm-query").args(args).arg("--lists-dir=@DIR@/lists").exec();
    eprintln!("{error}");
    std::process::exit(78);
}
"#;

impl Installation {
    fn new() -> Installation {
        let directory = tempfile::Builder::new().prefix("mm-query.").tempdir_in(base()).unwrap();
        let root = directory.path();
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
        install_program(root);
        compile_shim(root);
        copy_lists(&repository().join("tests/fixtures/lists"), &root.join("lists"));
        give_to_list(&root.join("lists"));
        write_conf(&root.join("wrapper.conf"));
        let built = build_wrapper(root);
        let wrapper = root.join("mm-query-wrapper");
        fs::copy(built, &wrapper).unwrap();
        let (_, group) = account("Debian-exim").unwrap();
        chown(&wrapper, Some(0), Some(group)).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o4750)).unwrap();
        Installation { directory }
    }

    /// A site that uses it.
    fn site(&self) -> Site {
        let root = self.directory.path();
        let checker = Checker::At(root.join("mm-query-wrapper"));
        Site { checker, lists: Some(root.join("lists")), ..Site::new() }
    }
}

/// A folder that everybody may enter, on a file system where setuid works.
fn base() -> PathBuf {
    let known = [env!("CARGO_TARGET_TMPDIR"), "/var/tmp", "/var/lib", "/opt", "/run"];
    let found = known.into_iter().map(Path::new).find(|path| {
        let mounted = statvfs(*path).is_ok_and(|it| !it.f_flag.intersects(Flags::NOSUID));
        let open = |way: &Path| fs::metadata(way).is_ok_and(|it| it.mode() & 0o001 != 0);
        mounted && path.ancestors().all(open)
    });
    found.expect("a folder where a setuid file works").to_owned()
}

fn compile_shim(root: &Path) {
    let source = root.join("shim.rs");
    fs::write(&source, SHIM.replace("@DIR@", &root.display().to_string())).unwrap();
    let status = Command::new(Path::new(env!("CARGO")).with_file_name("rustc"))
        .args(["--edition", "2024", "-o"])
        .args([&root.join("shim"), &source])
        .status()
        .expect("rustc beside cargo");
    assert!(status.success());
}

fn build_wrapper(root: &Path) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrapper-for-exim");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--package", "mm-query-wrapper", "--target-dir"])
        .arg(&target)
        .current_dir(repository())
        .env("MMQ_WRAPPER_CONF", root.join("wrapper.conf"))
        .env("MMQ_WRAPPER_PROGRAM", root.join("shim"))
        .env_remove("CARGO_BUILD_TARGET")
        .status()
        .unwrap();
    assert!(status.success());
    target.join("debug/mm-query-wrapper")
}

fn write_conf(path: &Path) {
    let ((uid, gid), (caller, _)) = (account("list").unwrap(), account("Debian-exim").unwrap());
    fs::write(path, format!("uid = {uid}\ngid = {gid}\ncaller-uid = {caller}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

/// Owners and modes as Mailman leaves them: files closed to others.
fn give_to_list(lists: &Path) {
    let (uid, gid) = account("list").unwrap();
    for list in fs::read_dir(lists).unwrap().map(Result::unwrap) {
        for file in fs::read_dir(list.path()).unwrap().map(Result::unwrap) {
            chown(file.path(), Some(uid), Some(gid)).unwrap();
            fs::set_permissions(file.path(), fs::Permissions::from_mode(0o660)).unwrap();
        }
    }
}

#[test]
fn the_installed_chain_gives_mailmans_verdicts() {
    if exim_binary().is_none() {
        return;
    }
    let installation = Installation::new();
    let exim = start(&installation.site()).unwrap();
    let mut smtp = exim.connect();
    for (list, sender, code) in [
        ("team", "alice@example.org", 250),
        ("team", "carol@example.org", 250),
        ("team", "bob@example.org", 550),
        ("team", "mallory@example.net", 550),
        ("umlaut", "mallory@example.net", 550),
        ("status", "mallory@example.net", 550),
        ("long", "mallory@example.net", 550),
        ("held", "mallory@example.net", 250),
        ("dropped", "mallory@example.net", 550),
        ("open", "mallory@example.net", 250),
        ("fallback", "alice@example.org", 250),
        ("fallback", "mallory@example.net", 550),
        ("py3", "mallory@example.net", 550),
    ] {
        let reply = smtp.post(sender, &format!("{list}@lists.example.org"), &message(sender));
        assert_eq!(reply.code, code, "{sender} to {list}: {reply:?}");
    }
    let hostile = b"From: \"--held=x $(id) ${run{/bin/id}}\n 'a\" <mallory@example.net>\n\nHello\n";
    assert_eq!(smtp.post("", "team@lists.example.org", hostile).code, 550);
    let approved = b"From: mallory@example.net\nApproved: x\n\nHello\n";
    assert_eq!(smtp.post("", "team@lists.example.org", approved).code, 250);
    assert!(!exim.log("main").contains("unchecked"), "{}", exim.log("main"));
    let stranger = "mallory@example.net";
    assert_eq!(smtp.post(stranger, "corrupt@lists.example.org", &message(stranger)).code, 250);
    assert!(exim.log("main").contains("accepted unchecked (status 65)"), "{}", exim.log("main"));
    smtp.quit();

    options_and_domains(&installation);
    a_broken_installation_refuses_nothing(&installation);
}

/// The site's choices pass the wrapper too.
fn options_and_domains(installation: &Installation) {
    let site = installation.site().set("MMQ_ASK_DOMAIN", "yes");
    let site = site.set("MMQ_OPTIONS", "--held=refuse --discarded=permit --utf8");
    let exim = start(&site.set("MMQ_DOMAINS", "*")).unwrap();
    let stranger = "mallory@example.net";
    let mut smtp = exim.connect();
    for (recipient, code) in [
        ("held@lists.example.org", 550),
        ("dropped@lists.example.org", 250),
        ("team@lists.example.com", 250),
        ("club@lists.example.com", 550),
        ("nosuch@lists.example.org", 250),
    ] {
        assert_eq!(smtp.post(stranger, recipient, &message(stranger)).code, code, "{recipient}");
    }
    let reply = smtp.post(stranger, "umlaut@lists.example.org", &message(stranger));
    assert!(reply.prose().contains("für"), "{reply:?}");
    smtp.quit();
    assert!(!exim.log("main").contains("no answer"), "{}", exim.log("main"));
    assert!(!exim.log("main").contains("unchecked"), "{}", exim.log("main"));
}

/// The wrapper runs nothing when its files are not as they should be.
fn a_broken_installation_refuses_nothing(installation: &Installation) {
    let conf = installation.directory.path().join("wrapper.conf");
    fs::set_permissions(&conf, fs::Permissions::from_mode(0o666)).unwrap();
    for (policy, code) in [("accept", 250), ("defer", 451)] {
        let exim = start(&installation.site().set("MMQ_NO_ANSWER", policy)).unwrap();
        let stranger = "mallory@example.net";
        let mut smtp = exim.connect();
        let reply = smtp.post(stranger, "team@lists.example.org", &message(stranger));
        assert_eq!(reply.code, code, "{reply:?}");
        smtp.quit();
        assert!(
            exim.log("main").contains("(status 78): mm-query-wrapper: "),
            "{}",
            exim.log("main")
        );
    }
}
