//! Files that are not as they must be, and kernels that withhold the privileges: status 78.

use crate::build::quick_target;
use crate::site::{
    CONF, EXIM_GID, EXIM_UID, LIST_GID, LIST_UID, STRANGER, Site, as_user, output, remove, set_mode,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

const QUERY: [&str; 2] = ["list-domain", "team"];

/// Puts each kind of untrusted thing at `path` in turn, and asserts a refusal that names it.
fn refuses_what_root_alone_did_not_write(site: &Site, path: &Path) {
    let name = path.to_str().unwrap();
    let refused = |why| site.assert_refused(&site.run(&QUERY), 78, &format!("{name}: {why}"));
    let untrusted = || refused("not a file that only root can write");
    for mode in [0o775, 0o757, 0o777, 0o766] {
        set_mode(path, 0, 0, mode);
        untrusted();
    }
    for owner in [EXIM_UID, LIST_UID, STRANGER] {
        set_mode(path, owner, 0, 0o755);
        untrusted();
    }
    set_mode(path, 0, 0, 0o755);
    site.assert_run(&site.run(&QUERY));

    let kept = path.with_extension("kept");
    fs::rename(path, &kept).unwrap();
    refused("No such file");
    symlink(&kept, path).unwrap();
    refused("");
    remove(path);
    fs::create_dir(path).unwrap();
    untrusted();
    remove(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    untrusted();
    remove(path);
    fs::rename(&kept, path).unwrap();
    site.assert_run(&site.run(&QUERY));
}

#[test]
fn refuses_a_program_that_root_alone_did_not_write() {
    let Some(site) = Site::new() else { return };
    refuses_what_root_alone_did_not_write(&site, &site.program());
}

#[test]
fn refuses_a_configuration_that_root_alone_did_not_write() {
    let Some(site) = Site::new() else { return };
    refuses_what_root_alone_did_not_write(&site, &site.conf());
}

#[test]
fn refuses_a_program_that_list_cannot_run() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.program(), 0, 0, 0o700);
    site.assert_refused(&site.run(&QUERY), 78, "mm-query: Permission denied");
    set_mode(&site.program(), 0, LIST_GID, 0o750);
    site.assert_run(&site.run(&QUERY));
    set_mode(&site.program(), 0, 0, 0o644);
    site.assert_refused(&site.run(&QUERY), 78, "mm-query: Permission denied");
}

/// A shell starts, for scripts and with GNU's library for files of no known format, but finds
/// nothing to run. With musl's, such files are not executed.
#[test]
fn no_script_runs_as_the_program() {
    let Some(site) = Site::new() else { return };
    let deed = format!("touch {}\n", site.path("scratch/deed").display());
    for text in [&format!("#!/bin/sh\n{deed}"), &deed, "", "\u{7f}ELF"] {
        fs::write(site.program(), text).unwrap();
        let ran = site.run(&QUERY);
        let shell = text.starts_with("#!") || !quick_target().ends_with("-musl");
        assert_eq!(ran.status.code(), Some(if shell { 70 } else { 78 }), "{text:?}: {ran:?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{ran:?}");
        assert!(!site.path("scratch/deed").exists(), "{text:?} was run");
    }
}

#[test]
fn a_setuid_program_gains_nothing() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.program(), 0, 0, 0o6755);
    site.assert_run(&site.run(&QUERY)).assert_ids(LIST_UID, LIST_GID);
}

#[test]
fn refuses_a_configuration_in_doubt() {
    let Some(site) = Site::new() else { return };
    let large = format!("{CONF}#{}", "x".repeat(4096));
    let invalid = ["uid = 0\ngid = 38124\n", "uid = 38123\ngid = 0\n", "uid = 38123\n", "", &large];
    for text in invalid {
        fs::write(site.conf(), text).unwrap();
        site.assert_refused(&site.run(&QUERY), 78, "wrapper.conf: ");
    }
    for extra in ["uid = 38123\n", "gid = 1\n", "program = 1\n", "x\n", "caller-uid = exim\n"] {
        fs::write(site.conf(), format!("{CONF}{extra}")).unwrap();
        site.assert_refused(&site.run(&QUERY), 78, "wrapper.conf: ");
    }
    fs::write(site.conf(), b"uid = 38123\ngid = 38124\n# \xff\n").unwrap();
    site.assert_refused(&site.run(&QUERY), 78, "wrapper.conf: ");
}

#[test]
fn refuses_without_the_setuid_bit() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.wrapper(), 0, EXIM_GID, 0o750);
    site.assert_refused(&site.run(&QUERY), 78, "not set-id");
}

#[test]
fn refuses_when_set_id_somebody_else() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.wrapper(), STRANGER, STRANGER, 0o6755);
    site.assert_refused(&site.run(&QUERY), 78, "not set-id");
}

#[test]
fn refuses_under_no_new_privs() {
    let Some(site) = Site::new() else { return };
    let mut command = as_user(EXIM_UID, EXIM_GID, &[]);
    command.arg("--no-new-privs").arg(site.wrapper()).args(QUERY);
    site.assert_refused(&output(&mut command), 78, "no_new_privs");
}

#[test]
fn refuses_on_a_nosuid_mount() {
    let Some(site) = Site::new() else { return };
    let script = format!(
        "mount --bind {0} {0} && mount -o remount,bind,nosuid {0} && \
         exec setpriv --reuid={EXIM_UID} --regid={EXIM_GID} --clear-groups {1} list-domain team",
        site.path("").display(),
        site.wrapper().display(),
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation=private", "sh", "-ec", &script]);
    site.assert_refused(&output(&mut command), 78, "nosuid");
}

#[test]
fn refuses_in_a_user_namespace_where_the_caller_is_root() {
    let Some(site) = Site::new() else { return };
    let mut command = as_user(EXIM_UID, EXIM_GID, &[]);
    command.args(["unshare", "--map-root-user"]).arg(site.wrapper()).args(QUERY);
    site.assert_refused(
        &output(&mut command),
        78,
        "wrapper.conf: not a file that only root can write",
    );
}

#[test]
fn refuses_when_traced() {
    let Some(site) = Site::new() else { return };
    // 0 is PTRACE_TRACEME, 7 PTRACE_CONT: the child stops when it has executed the wrapper.
    let ptrace = libc::SYS_ptrace;
    let deeds = format!(
        "if (my $pid = fork) {{
             waitpid($pid, 0);
             syscall({ptrace}, 7, $pid, 0, 0);
             waitpid($pid, 0);
             exit($? & 127 ? 125 : $? >> 8)
         }}
         syscall({ptrace}, 0, 0, 0, 0)"
    );
    site.assert_refused(&site.run_after(&deeds, &QUERY), 78, "traced");
}

#[test]
fn a_link_to_the_wrapper_is_the_wrapper() {
    let Some(site) = Site::new() else { return };
    let link = site.path("scratch/sh");
    symlink(site.wrapper(), &link).unwrap();
    let mut command = as_user(EXIM_UID, EXIM_GID, &[]);
    let report = site.assert_run(&output(command.arg(&link).args(QUERY)));
    assert_eq!(report.all("arg"), ["mm-query", "list-domain", "team"]);
}
