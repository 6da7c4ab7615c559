//! Who the program runs as, and who may have it run.

use crate::site::{
    CONF, EXIM_GID, EXIM_UID, EXTRA_GID, LIST_GID, LIST_UID, Report, STRANGER, Site, as_user,
    output, set_mode,
};
use std::fs;
use std::process::Command;

const ALL_SETS: [&str; 5] = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
const OWN_SETS: [&str; 4] = ["CapInh", "CapPrm", "CapEff", "CapAmb"];

pub(crate) fn assert_only_list(report: &Report) {
    report.assert_ids(LIST_UID, LIST_GID);
    assert_eq!(report.status("Groups"), "");
    report.assert_no_capabilities(&ALL_SETS);
    assert_eq!(report.status("NoNewPrivs"), "1");
}

#[test]
fn becomes_list_and_nothing_more() {
    let Some(site) = Site::new() else { return };
    assert_only_list(&site.assert_run(&site.run(&["list-domain", "team"])));
}

#[test]
fn becomes_list_when_root_calls() {
    let Some(site) = Site::new() else { return };
    let ran = output(Command::new(site.wrapper()).args(["list-domain", "team"]));
    assert_only_list(&site.assert_run(&ran));
    let mut command = Command::new("setpriv");
    command.arg("--no-new-privs").arg(site.wrapper()).args(["list-domain", "team"]);
    assert_only_list(&site.assert_run(&output(&mut command)));
}

#[test]
fn callers_capabilities_and_groups_are_gone() {
    let Some(site) = Site::new() else { return };
    let mut command = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID, LIST_GID, 0]);
    command.args(["--inh-caps=+net_raw,+setuid", "--ambient-caps=+net_raw,+setuid"]);
    let control = output(command.args(["grep", "CapAmb", "/proc/self/status"]));
    assert!(String::from_utf8_lossy(&control.stdout).contains("0000000000002080"), "{control:?}");

    let mut command = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID, LIST_GID, 0]);
    command.args(["--inh-caps=+net_raw,+setuid", "--ambient-caps=+net_raw,+setuid"]);
    command.arg(site.wrapper()).args(["list-domain", "team"]);
    assert_only_list(&site.assert_run(&output(&mut command)));
}

#[test]
fn a_user_outside_the_group_cannot_execute_it() {
    let Some(site) = Site::new() else { return };
    let ran = output(&mut site.after(as_user(STRANGER, STRANGER, &[LIST_GID]), ""));
    assert_eq!(ran.status.code(), Some(126), "{ran:?}");
    assert!(site.report().is_none());
}

#[test]
fn only_named_callers_may_call() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.wrapper(), 0, 0, 0o4755);
    let allowed = |callers: &str, uid, gid, groups: &[u32]| {
        fs::write(site.conf(), format!("{CONF}{callers}")).unwrap();
        let mut command = as_user(uid, gid, groups);
        let ran = output(command.arg(site.wrapper()).args(["list-domain", "team"]));
        match ran.status.code() {
            Some(0) => site.report().is_some(),
            _ => {
                site.assert_refused(&ran, 77, "may not call");
                false
            }
        }
    };
    assert!(allowed("", STRANGER, STRANGER, &[]));
    let by_uid = format!("caller-uid = {EXIM_UID}\n");
    assert!(allowed(&by_uid, EXIM_UID, EXIM_GID, &[]));
    assert!(allowed(&by_uid, EXIM_UID, STRANGER, &[]));
    assert!(!allowed(&by_uid, STRANGER, EXIM_GID, &[]));
    assert!(!allowed(&by_uid, EXIM_GID, EXIM_UID, &[]));
    let by_gid = format!("caller-gid = {EXIM_GID}\n");
    assert!(allowed(&by_gid, STRANGER, EXIM_GID, &[]));
    assert!(!allowed(&by_gid, EXIM_UID, STRANGER, &[]));
    assert!(!allowed(&by_gid, STRANGER, STRANGER, &[EXIM_GID]), "only real ids count");
    let both = format!("{by_uid}{by_gid}caller-uid = {LIST_UID}\n");
    assert!(allowed(&both, EXIM_UID, STRANGER, &[]));
    assert!(allowed(&both, STRANGER, EXIM_GID, &[]));
    assert!(allowed(&both, LIST_UID, STRANGER, &[]));
    assert!(!allowed(&both, STRANGER, STRANGER, &[]));
    assert!(allowed(&both, 0, STRANGER, &[]), "root may always call");
}

#[test]
fn works_installed_setuid_list() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.wrapper(), LIST_UID, EXIM_GID, 0o4750);
    let report = site.assert_run(&site.run(&["list-domain", "team"]));
    report.assert_ids(LIST_UID, EXIM_GID);
    assert_eq!(report.status("Groups"), EXTRA_GID.to_string());
    report.assert_no_capabilities(&OWN_SETS);
    assert_eq!(report.status("NoNewPrivs"), "1");
}

#[test]
fn works_installed_setgid_list() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.wrapper(), 0, LIST_GID, 0o2755);
    let report = site.assert_run(&site.run(&["list-domain", "team"]));
    report.assert_ids(EXIM_UID, LIST_GID);
    report.assert_no_capabilities(&OWN_SETS);
    assert_eq!(report.status("NoNewPrivs"), "1");

    set_mode(&site.wrapper(), LIST_UID, LIST_GID, 0o6755);
    let report = site.assert_run(&site.run(&["list-domain", "team"]));
    report.assert_ids(LIST_UID, LIST_GID);
}

#[test]
fn root_calling_a_setuid_list_file_keeps_no_power() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.wrapper(), LIST_UID, LIST_GID, 0o6755);
    let ran = output(Command::new(site.wrapper()).args(["list-domain", "team"]));
    let report = site.assert_run(&ran);
    report.assert_ids(LIST_UID, LIST_GID);
    report.assert_no_capabilities(&OWN_SETS);
}
