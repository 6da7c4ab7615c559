//! `mm-query doctor` on an installation as it should be, and on each of many ways to break it.

use serde_json::Value;

use crate::machine::{Machine, Run};

/// Where everything stands that a case may break.
const KEPT: &str = "/usr/lib/mm-query /etc/mm-query /etc/exim4 /var/lib/exim4 /var/lib/mailman \
                    /etc/mailman";

/// A machine set up, with a copy of all that to go back to.
fn healthy() -> Option<Machine> {
    let machine = Machine::new(true)?;
    let run = machine.mm_query(&["exim-setup", "--install"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    machine.write("/etc/mailman/mm_cfg.py", "from Defaults import *\nMTA = None\n");
    machine.write("/usr/lib/mailman/Mailman/Version.py", "VERSION = '2.1.39'\n");
    machine.sh(&format!("mkdir /run/kept; cp -a --parents {KEPT} /run/kept"));
    Some(machine)
}

fn mend(machine: &Machine) {
    machine.sh(&format!(
        "umount /usr/lib/mm-query 2>/dev/null || true; rm -rf {KEPT} /etc/mm-query.toml; cp -a /run/kept/* /; rm -f /var/lib/exim4/*.tmp"
    ));
}

fn examine(machine: &Machine) -> Run {
    machine.mm_query(&["doctor"])
}

/// The lines of one state.
fn lines<'a>(run: &'a Run, state: &str) -> Vec<&'a str> {
    run.stdout.lines().filter(|line| line.starts_with(state)).collect()
}

#[test]
fn an_installation_as_it_should_be_has_no_problem() {
    let Some(machine) = healthy() else { return };
    let before = machine.snapshot();
    let run = examine(&machine);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    for words in [
        "ok       site      lists in /var/lib/mailman/lists, site settings from /etc/mailman/mm_cfg.py",
        "ok       mailman   Mailman 2.1.39 (/usr/lib/mailman/Mailman/Version.py)",
        "ok       mm_cfg    /etc/mailman/mm_cfg.py is understood",
        "read as the user list; written",
        "ok       wrapper   /usr/lib/mm-query/mm-query-wrapper is root:Debian-exim 4750",
        "the wrapper becomes list:list",
        "ok       exim      Exim 4.",
        "ok       snippets  Exim asks mm-query at RCPT and at DATA",
        "Exim's user Debian-exim sees all lists",
        "ok       snippets  lists are checked at lists.example.org",
        "as Debian-exim: a stranger's post is ",
        "\n0 problems, ",
    ] {
        assert!(run.stdout.contains(words), "{words}:\n{}", run.stdout);
    }
    assert!(lines(&run, "skipped").is_empty(), "{}", run.stdout);
    assert_eq!(machine.snapshot(), before);

    let run = machine.mm_query(&["doctor", "--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let object: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["problems"], 0);
    let findings = object["findings"].as_array().unwrap();
    assert!(findings.iter().all(|one| one["state"] == "ok" || one["advice"].is_string()));
}

/// The page of README.md, on a machine with two good lists; Exim's version is this machine's.
#[test]
fn the_page_in_the_readme_is_a_real_one() {
    let Some(machine) = healthy() else { return };
    machine.sh(
        "cd /var/lib/mailman/lists; mkdir /run/l; mv announce team /run/l; rm -r ./*; mv /run/l/* .",
    );
    let readme = std::fs::read_to_string(crate::config::repository().join("README.md")).unwrap();
    let (_, page) = readme.split_once("\n# mm-query doctor\n").unwrap();
    let (page, _) = page.split_once("\n```\n").unwrap();
    let run = examine(&machine);
    let version = run.stdout.split_once("Exim 4.").unwrap().1;
    let version = version.split_once(' ').unwrap().0;
    assert_eq!(
        run.stdout.replace(&format!("Exim 4.{version} "), "Exim 4.96 "),
        format!("{page}\n")
    );
}

/// Breaks something, and finds it named as the worst that there is.
fn assert_found(machine: &Machine, damage: &str, state: &str, words: &[&str]) {
    machine.sh(damage);
    let run = examine(machine);
    let code = if state == "PROBLEM" { 78 } else { 0 };
    assert_eq!((run.code, run.stderr.as_str()), (Some(code), ""), "{damage}: {run:?}");
    let found = lines(&run, state);
    let named = |line: &&str| words.iter().all(|word| line.contains(word));
    assert!(found.iter().any(named), "{damage}: {words:?}\n{}", run.stdout);
    mend(machine);
}

#[test]
fn what_is_wrong_with_the_wrapper_is_named() {
    let Some(machine) = healthy() else { return };
    let wrapper = "/usr/lib/mm-query/mm-query-wrapper";
    let conf = "/etc/mm-query/wrapper.conf";
    for (damage, words) in [
        (format!("chmod 755 {wrapper}"), &["wrapper", "not set-id"][..]),
        (format!("chgrp root {wrapper}; chmod 4750 {wrapper}"), &["Debian-exim cannot run it"]),
        (format!("chmod 4770 {wrapper}"), &["others can write"]),
        (format!("rm {wrapper}"), &[wrapper, "No such file"]),
        (format!("rm {conf}"), &["there is no /etc/mm-query/wrapper.conf"]),
        (format!("chmod 666 {conf}"), &[conf, "written by others"]),
        (format!("echo caller-uid = 1 >> {conf}"), &[conf, "Debian-exim is none"]),
        // What only the wrapper itself is strict about shows in the query.
        (format!("echo callers = 1 >> {conf}"), &["query", "status 78", "mm-query-wrapper: "]),
        ("chmod 700 /usr/lib/mm-query/mm-query".into(), &["cannot be run by Mailman's user"]),
        ("chmod 775 /usr/lib/mm-query/mm-query".into(), &["/mm-query can be written by others"]),
        (
            "cp -a /usr/lib/mm-query /run/suid; mount -t tmpfs -o nosuid tmpfs /usr/lib/mm-query; \
             cp -a /run/suid/* /usr/lib/mm-query"
                .into(),
            &["mounted nosuid"],
        ),
    ] {
        assert_found(&machine, &damage, "PROBLEM", words);
    }
    assert_found(&machine, &format!("chmod 4755 {wrapper}"), "warning", &["every user"]);
    let list = format!("chown list {wrapper}; chmod 4750 {wrapper}");
    assert_found(&machine, &list, "warning", &["set-id Mailman's user"]);
}

#[test]
fn what_is_wrong_with_mailmans_files_is_named() {
    let Some(machine) = healthy() else { return };
    let lists = "/var/lib/mailman/lists";
    let cfg = "/etc/mailman/mm_cfg.py";
    for (damage, words) in [
        (
            format!("chown root {lists}/team/config.pck; chmod 600 {lists}/team/config.pck"),
            &["lists", "the user list cannot read team"][..],
        ),
        (format!("mv {lists} {lists}.old"), &["site", "no lists directory"]),
        (format!("chmod 700 {lists}; chown root {lists}"), &["site", "ermission denied"]),
        (format!("rm -r {lists}/*"), &["lists", "no list in"]),
        (format!("echo 'X = (' >> {cfg}"), &["mm_cfg", cfg, "line "]),
        (format!("chmod 600 {cfg}"), &["site", cfg, "ermission denied"]),
        ("echo 'lists = 1' > /etc/mm-query.toml".into(), &["site", "/etc/mm-query.toml"]),
        ("echo \"VERSION = '2.0.13'\" > /usr/lib/mailman/Mailman/Version.py".into(), &["2.0.13"]),
    ] {
        assert_found(&machine, &damage, "PROBLEM", words);
        machine.write("/usr/lib/mailman/Mailman/Version.py", "VERSION = '2.1.39'\n");
    }
    let unknown = format!("echo 'import os; USE_ENVELOPE_SENDER = os.getpid()' >> {cfg}");
    assert_found(&machine, &unknown, "warning", &["mm_cfg", "USE_ENVELOPE_SENDER", "line 3"]);
    let own = format!("echo 'GLOBAL_PIPELINE.remove(\"Moderate\")' >> {cfg}");
    assert_found(&machine, &own, "warning", &["mm_cfg", "GLOBAL_PIPELINE"]);
}

#[test]
fn what_is_wrong_with_exim_is_named() {
    let Some(machine) = healthy() else { return };
    let set = |setting: &str| {
        format!("echo '{setting}' >> /etc/exim4/mm-query/settings; update-exim4.conf || true")
    };
    for (damage, words) in [
        (
            "/usr/lib/mm-query/mm-query exim-setup --remove >/dev/null".to_owned(),
            &["snippets", "not in Exim's configuration"][..],
        ),
        (
            "sed -i s/mmq_data/acl_check_data/ /etc/exim4/conf.d/main/000_mm-query; \
             update-exim4.conf"
                .into(),
            &["acl_smtp_data is acl_check_data, not mmq_data"],
        ),
        ("echo nonsense >> /var/lib/exim4/config.autogenerated".into(), &["exim", "refuses"]),
        (set("MMQ_OPTIONS = --hold=refuse"), &["query", "status 64"]),
        (set("MMQ_LISTS = /var/lib/elsewhere"), &["MMQ_LISTS is /var/lib/elsewhere"]),
        (set("MMQ_WRAPPER = /usr/lib/mm-query/other"), &["wrapper", "/usr/lib/mm-query/other"]),
        (set("MMQ_WRAPPER = /bin/false"), &["query", "no answer, status 1"]),
        (set("MMQ_SITE_DATA = nosuch"), &["MMQ_SITE_DATA is nosuch"]),
        (
            // A folder that Exim, which is neither its owner nor in its group, cannot look into.
            "chown list:list /var/lib/mailman/lists/team; chmod 770 /var/lib/mailman/lists/team"
                .into(),
            &["Debian-exim cannot look into the folders of team"],
        ),
    ] {
        assert_found(&machine, &damage, "PROBLEM", words);
    }
    assert_found(&machine, &set("MMQ_NO_ANSWER = deny"), "warning", &["MMQ_NO_ANSWER is deny"]);
    let old = "echo '# older' >> /etc/exim4/mm-query/acl";
    assert_found(&machine, old, "warning", &["acl in /etc/exim4/mm-query", "another version"]);
    let left = "sed -i 's/^MMQ_DOMAINS.*/MMQ_DOMAINS = lists.example.net/' \
                /etc/exim4/mm-query/settings";
    assert_found(&machine, left, "warning", &["leaves out lists", "lists.example.org"]);
    // A site that has our ACL called by its own is fine.
    machine.write("/etc/exim4/conf.d/acl/50_own", "acl_own:\n  require acl = mmq_rcpt\n  accept\n");
    machine.sh("sed -i s/mmq_rcpt/acl_own/ /etc/exim4/conf.d/main/000_mm-query; update-exim4.conf");
    let run = examine(&machine);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_domain_that_a_lists_owner_chose_is_never_expanded() {
    let Some(machine) = healthy() else { return };
    // As long as the domain that it replaces, so that the file stays a pickle.
    machine.sh("cd /var/lib/mailman/lists/club_lists.example.net; \
         perl -i -pe 's/lists\\.example\\.net/\\${run{touch_\\/xy}}/g' config.pck; \
         chown list:list config.pck; grep -q '{run{touch_/xy' config.pck");
    let run = examine(&machine);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("club_lists.example.net at ${run{touch_/xy}}"), "{}", run.stdout);
    let run = machine.mm_query(&["exim-setup"]);
    assert!(!run.stdout.contains("touch") && !run.stderr.contains("touch"), "{run:?}");
}

#[test]
fn others_than_root_are_told_what_they_cannot_see() {
    let Some(machine) = healthy() else { return };
    let user = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"];
    let program = ["/usr/lib/mm-query/mm-query", "doctor"];
    let run = machine.run("setpriv", &[&user[..], &program].concat());
    // The lists are closed to them, which is as it should be, and a problem for this user.
    assert_eq!(run.code, Some(78), "{run:?}");
    assert!(run.stdout.contains("the user nobody cannot read"), "{}", run.stdout);
    assert!(!lines(&run, "skipped").is_empty(), "{}", run.stdout);
    assert!(run.stdout.contains("-> run this as root"), "{}", run.stdout);
    let run = machine.run("/usr/lib/mm-query/mm-query-wrapper", &["doctor"]);
    assert_eq!(run.code, Some(64), "{run:?}");
}

#[test]
fn the_audit_sees_whether_exim_asks() {
    let Some(machine) = healthy() else { return };
    let of_exim = |machine: &Machine| -> Vec<Value> {
        let said: Value =
            serde_json::from_str(&machine.mm_query(&["audit", "--json"]).stdout).unwrap();
        let all = said["findings"].as_array().unwrap().clone();
        all.into_iter().filter(|finding| finding["check"] == "exim").collect()
    };
    assert_eq!(of_exim(&machine), Vec::<Value>::new());
    assert_eq!(machine.mm_query(&["exim-setup", "--remove"]).code, Some(0));
    let found = of_exim(&machine);
    assert_eq!(found[0]["severity"], "medium", "{found:?}");
    assert!(found[0]["text"].as_str().unwrap().contains("not in its configuration"), "{found:?}");
}

/// With a daemon the wrapper does not matter, and the daemon does.
#[test]
fn a_daemon_is_asked_in_the_wrappers_place() {
    for split in [true, false] {
        let Some(machine) = Machine::new(split) else { return };
        let socket = "/run/mm-query-test/socket";
        let install = ["exim-setup", "--install", "--set=MMQ_PRDR=yes", "--set=MMQ_LOCAL=yes"];
        let with = format!("--set=MMQ_SOCKET={socket}");
        let run = machine.mm_query(&[&install[..], &[&with]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
        let options = machine.sh("exim4 -bP acl_smtp_data_prdr acl_not_smtp");
        assert_eq!(options, "acl_smtp_data_prdr = mmq_prdr\nacl_not_smtp = mmq_local\n");
        machine.sh("rm /usr/lib/mm-query/mm-query-wrapper");
        let run = examine(&machine);
        let problems = lines(&run, "PROBLEM");
        assert!(problems.len() == 1 && problems[0].contains(socket), "{}", run.stdout);
        // A daemon that made its socket itself answers, and Exim's client may not like it.
        machine.sh(
            "mkdir -m 755 /run/mm-query-test; chown list /run/mm-query-test; \
             su -s /bin/sh list -c '/usr/lib/mm-query/mm-query serve --listen=/run/mm-query-test/socket \
             --socket-mode=666 --log=error >/dev/null 2>&1 & echo $! >/run/mm-query-test/pid'; \
             until test -S /run/mm-query-test/socket; do sleep 0.1; done",
        );
        let run = examine(&machine);
        machine.sh("kill $(cat /run/mm-query-test/pid)");
        assert!(lines(&run, "PROBLEM").is_empty(), "{}", run.stdout);
        assert!(run.stdout.contains("asked as Debian-exim: it answers ("), "{}", run.stdout);
        let warnings = lines(&run, "warning");
        assert!(warnings.iter().any(|line| line.contains("not held by systemd")), "{}", run.stdout);
    }
}
