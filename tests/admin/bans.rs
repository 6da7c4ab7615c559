//! What `ban`, `unban` and `banned` do and say.

use crate::support::{Holder, Site, fixtures};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

#[test]
fn a_ban_comes_and_goes() {
    let site = Site::of(&["team", "py3", "bouncing"]);
    let before = fs::read(site.file("team")).unwrap();
    let said = site.succeed(&["ban", "Eve@Example.net", "--list", "team", "py3"]);
    assert_eq!(said, "team  banned\npy3   banned\n2 of 2 lists changed\n");
    assert_eq!(site.bans("team"), ["Eve@Example.net"]);
    assert_eq!(site.bans("py3"), ["Eve@Example.net"]);
    assert_eq!(site.bans("bouncing"), Vec::<String>::new());
    assert_eq!(fs::read(site.last("team")).unwrap(), before);
    assert_eq!(site.litter("team"), Vec::<String>::new());

    let again = site.succeed(&["ban", "eve@example.net", "--all"]);
    let same = "already banned  as Eve@Example.net";
    let expected =
        format!("bouncing  banned\npy3       {same}\nteam      {same}\n1 of 3 lists changed\n");
    assert_eq!(again, expected);

    let said = site.succeed(&["banned", "EVE@example.NET"]);
    let expected =
        "bouncing  eve@example.net\npy3       Eve@Example.net\nteam      Eve@Example.net\n";
    assert_eq!(said, expected);

    let said = site.succeed(&["unban", " eVe@example.net", "--list", "team"]);
    assert_eq!(said, "team  unbanned  as Eve@Example.net\n1 of 1 lists changed\n");
    assert_eq!(fs::read(site.file("team")).unwrap(), before);
    let said = site.succeed(&["unban", "eve@example.net", "--list", "team"]);
    assert_eq!(said, "team  not banned\n0 of 1 lists changed\n");
    let nobody = site.succeed(&["banned", "eve@example.net", "--list", "team"]);
    assert_eq!(nobody, "eve@example.net is not banned on any of 1 lists\n");
}

#[test]
fn patterns_are_compared_as_they_stand_and_hit_as_mailman_has_it() {
    let site = Site::of(&["team", "py3"]);
    let pattern = r"^.*@(spam|bulk)\.example$";
    site.succeed(&["ban", pattern, "--all"]);
    assert_eq!(site.bans("team"), [pattern]);
    let said = site.succeed(&["banned", "x@SPAM.example", "--json"]);
    let expected = serde_json::json!({
        "address": "x@SPAM.example",
        "lists": [{"list": "py3", "entry": pattern}, {"list": "team", "entry": pattern}],
        "global": null,
        "failed": [],
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap(), expected);
    let said = site.succeed(&["ban", "x@spam.example", "--list", "team"]);
    assert_eq!(said, format!("team  banned  also banned by {pattern}\n1 of 1 lists changed\n"));
    let said = site.succeed(&["unban", "x@spam.example", "--list", "team"]);
    assert_eq!(said, format!("team  unbanned  still banned by {pattern}\n1 of 1 lists changed\n"));
    site.succeed(&["unban", r"^.*@(SPAM|bulk)\.example$", "--all"]);
    assert_eq!(site.bans("team"), [pattern]);
    site.succeed(&["unban", pattern, "--all"]);
    assert_eq!(site.bans("team"), Vec::<String>::new());
    assert_eq!(site.bans("py3"), Vec::<String>::new());
}

#[test]
fn the_sites_own_ban_list_counts() {
    let site = Site::of(&["team"]);
    let mm_cfg = "GLOBAL_BAN_LIST = ['eve@example.net', '^.*@spam\\\\.example$']\n";
    fs::write(site.path().join("mm_cfg.py"), mm_cfg).unwrap();
    let said = site.succeed(&["banned", "a@spam.example"]);
    assert_eq!(said, "all lists  ^.*@spam\\.example$ in GLOBAL_BAN_LIST\n");
    let said = site.succeed(&["unban", "Eve@example.net", "--all"]);
    let still = "still banned by eve@example.net in GLOBAL_BAN_LIST\n";
    assert_eq!(said, format!("team  not banned\n{still}0 of 1 lists changed\n"));
    fs::write(site.path().join("mm_cfg.py"), "import x\nGLOBAL_BAN_LIST = x.y()\n").unwrap();
    let run = site.run(&["banned", "a@spam.example"]);
    assert_eq!(run.code, 78, "{run:?}");
    assert!(run.stderr.contains("GLOBAL_BAN_LIST"), "{run:?}");
    assert!(run.stdout.contains("not banned"), "{run:?}");
}

#[test]
fn entries_that_ban_nobody_are_refused() {
    let site = Site::of(&["team", "py3"]);
    for (entry, why) in [
        ("", "nothing"),
        ("  ", "nothing"),
        ("joe", "begin with ^"),
        (".*@spam\\.example", "begin with ^"),
        ("a b@example.org", "begin with ^"),
        ("@example.org", "bans nobody"),
        ("a@b\n", "control character"),
        ("^a\x07", "control character"),
        ("^(a", "invalid"),
        ("^a{4294967295}", "would fail"),
    ] {
        let run = site.run(&["ban", entry, "--all"]);
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{entry:?}: {run:?}");
        assert!(run.stderr.contains(why), "{entry:?}: {run:?}");
    }
    // Python 3 has it, Python 2 has not.
    let possessive = ["ban", "^a++@", "--list", "py3", "team"];
    assert_eq!(site.run(&possessive).code, 64);
    assert_eq!(site.bans("py3"), Vec::<String>::new());
    assert_eq!(site.run(&possessive[..4]).code, 0);
    assert_eq!(site.bans("py3"), ["^a++@"]);
}

#[test]
fn members_are_not_banned_without_force() {
    let site = Site::of(&["team", "announce", "py3"]);
    for (entry, named) in [
        ("ALICE@example.org", "announce (alice@example.org), team (alice@example.org)"),
        ("^.*@example\\.org$", "bob@example.org, carol@example.org, dave@example.org"),
        ("^.*b.cher", "py3 (josé@bücher.example)"),
        ("^", "announce"),
    ] {
        let run = site.run(&["ban", entry, "--list", "announce", "team", "py3"]);
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{entry}: {run:?}");
        assert!(run.stderr.contains(named) && run.stderr.contains("--force"), "{run:?}");
        for list in ["team", "announce", "py3"] {
            assert_eq!(site.bans(list), Vec::<String>::new(), "{entry}");
        }
    }
    site.succeed(&["ban", "^.*@example\\.org$", "--list", "team", "--force"]);
    assert_eq!(site.bans("team"), ["^.*@example\\.org$"]);
}

#[test]
fn a_protest_names_some_members_and_counts_the_others() {
    let site = Site::empty();
    let members: String = (0..2000).map(|n| format!("S'm{n}@x.example'\nI0\ns")).collect();
    let pickle =
        format!("(dp0\nS'data_version'\nI112\nsS'members'\n(dp1\n{members}sS'ban_list'\n(lp2\ns.");
    for n in 0..9 {
        let list = site.lists().join(format!("big{n}"));
        fs::create_dir(&list).unwrap();
        fs::write(list.join("config.pck"), &pickle).unwrap();
    }
    let run = site.run(&["ban", "^m", "--all"]);
    assert_eq!(run.code, 64);
    assert!(run.stderr.contains("m3@x.example, m4@x.example and 1995 more)"), "{run:?}");
    assert!(run.stderr.contains(" and 4 more; if"), "{run:?}");
    assert!(run.stderr.len() < 2000, "{}", run.stderr.len());
}

#[test]
fn a_dry_run_takes_no_lock_and_changes_nothing() {
    let site = Site::of(&["team", "patterns"]);
    fs::remove_dir(site.locks()).unwrap();
    let before = fs::read(site.file("team")).unwrap();
    let said = site.succeed(&["ban", "eve@example.net", "--list", "team", "--dry-run", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["dry_run"], true);
    assert_eq!(said["lists"][0]["result"], "would be banned");
    assert_eq!(said["lists"][0]["changed"], false);
    assert_eq!(fs::read(site.file("team")).unwrap(), before);
    assert_eq!(fs::read_dir(site.lists().join("team")).unwrap().count(), 1);
    // Really, it needs the locks.
    let run = site.run(&["ban", "eve@example.net", "--list", "team"]);
    assert_eq!(run.code, 66, "{run:?}");
    assert!(run.stderr.contains("--lock-dir"), "{run:?}");
    assert_eq!(fs::read(site.file("team")).unwrap(), before);
}

#[test]
fn one_list_that_cannot_be_changed_does_not_stop_the_others() {
    let site =
        Site::of(&["team", "old", "older", "corrupt", "fallback", "marshal", "proto4", "held"]);
    symlink("team", site.lists().join("alias")).unwrap();
    let other = Site::of(&["open"]);
    fs::create_dir(site.lists().join("linked")).unwrap();
    symlink(other.file("open"), site.file("linked")).unwrap();
    let holder = Holder::take(&site.lock("held"), 300);
    let all = site.run(&["ban", "eve@example.net", "--all", "--wait=0", "--json"]);
    let report = all.json();
    assert_eq!(report["lists"].as_array().unwrap().len(), 1, "{all:?}");
    assert_eq!(report["lists"][0]["list"], "team");
    for (list, status, why) in [
        ("alias", 65, "is a link"),
        ("corrupt", 65, "at byte 0"),
        ("fallback", 65, "cut off"),
        ("linked", 65, "is a link"),
        ("marshal", 65, "there is no"),
        ("old", 65, "data_version is 97"),
        ("older", 65, "data_version is 21"),
        ("proto4", 65, "protocol 3"),
        ("held", 75, "locked by process"),
    ] {
        let failed = report["failed"].as_array().unwrap();
        let this = failed.iter().find(|f| f["list"] == list).unwrap_or_else(|| panic!("{list}"));
        assert_eq!(this["status"], status, "{this}");
        assert!(this["error"].as_str().unwrap().contains(why), "{this}");
        assert!(all.stderr.contains(&format!("mm-query: {list}: ")), "{all:?}");
    }
    assert_eq!(all.code, 65);
    assert_eq!(site.bans("team"), ["eve@example.net"]);
    for list in ["old", "older", "corrupt", "fallback", "marshal", "proto4", "held"] {
        for file in fs::read_dir(fixtures().join(list)).unwrap() {
            let file = file.unwrap();
            let now = fs::read(site.lists().join(list).join(file.file_name())).unwrap();
            assert_eq!(now, fs::read(file.path()).unwrap(), "{list}");
        }
    }
    let run = site.run(&["ban", "a@example.net", "--list", "held", "nosuch", "--wait=0"]);
    assert_eq!(run.code, 67, "the first that failed: {run:?}");
    let said = format!("held: locked by process {} on", holder.pid());
    assert!(run.stderr.contains(&said), "{run:?}");
    holder.release();
    assert_eq!(site.run(&["ban", "a@example.net", "--list", "held"]).code, 0);
}

#[test]
fn names_with_a_domain_and_twice() {
    let site = Site::of(&["team", "club_lists.example.net"]);
    let names = ["team", "club@lists.example.net", "team@lists.example.org", "team@x.example"];
    let run = site.run(&[&["ban", "eve@example.net", "--list"], &names[..]].concat());
    assert_eq!(run.code, 67);
    assert_eq!(run.stderr, "mm-query: team@x.example: no such list: team@x.example\n");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "team                    banned");
    assert_eq!(lines[1], "club_lists.example.net  banned");
    assert_eq!(lines[2], "2 of 3 lists changed, 1 failed");
}

#[test]
fn usage() {
    let site = Site::of(&["team"]);
    for args in [
        &["ban", "a@b.example"][..],
        &["ban", "--all"],
        &["ban", "a@b.example", "--all", "--list", "team"],
        &["unban", "a@b.example", "--all", "--force"],
        &["banned"],
        &["banned", ""],
        &["locks", "--host=x"],
    ] {
        let run = site.run(args);
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{args:?}: {run:?}");
    }
}

#[test]
fn the_new_file_has_the_old_ones_mode_owner_and_group() {
    let site = Site::of(&["team"]);
    let root = fs::metadata(site.path()).unwrap().uid() == 0;
    for mode in [0o660, 0o600, 0o664, 0o640] {
        fs::set_permissions(site.file("team"), fs::Permissions::from_mode(mode)).unwrap();
        if root {
            std::os::unix::fs::chown(site.file("team"), Some(38), Some(38)).unwrap();
        }
        let before = fs::metadata(site.file("team")).unwrap();
        let entry = format!("m{mode:o}@example.net");
        site.succeed(&["ban", &entry, "--list", "team"]);
        let after = fs::metadata(site.file("team")).unwrap();
        let all = |m: &fs::Metadata| (m.mode(), m.uid(), m.gid());
        assert_eq!(all(&after), all(&before));
        assert_ne!(after.ino(), before.ino());
        assert_eq!(fs::metadata(site.last("team")).unwrap().ino(), before.ino());
        assert_eq!(after.nlink(), 1);
    }
}

#[test]
fn mailmans_user_can_do_it_and_others_cannot() {
    let site = Site::of(&["team"]);
    if fs::metadata(site.path()).unwrap().uid() != 0 {
        assert!(std::env::var_os("CI").is_none(), "needs root");
        eprintln!("not root: nothing tried as another user");
        return;
    }
    for path in [site.path().to_owned(), site.lists(), site.locks(), site.lists().join("team")] {
        std::os::unix::fs::chown(&path, Some(0), Some(38)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o2775)).unwrap();
    }
    // As a CGI left it, which runs as the web server's user in Mailman's group.
    std::os::unix::fs::chown(site.file("team"), Some(33), Some(38)).unwrap();
    fs::set_permissions(site.file("team"), fs::Permissions::from_mode(0o660)).unwrap();
    let program = site.path().join("mm-query");
    fs::copy(crate::support::BIN, &program).unwrap();
    let run_as = |uid: &str, gid: &str, args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", uid, "--regid", gid, "--clear-groups"]).arg(&program).args(args);
        command.arg("--lists-dir").arg(site.lists());
        crate::support::finish(&mut command)
    };
    let run = run_as("12345", "12345", &["ban", "eve@example.net", "--list", "team"]);
    assert_eq!(run.code, 77, "{run:?}");
    let run = run_as("38", "38", &["ban", "eve@example.net", "--list", "team"]);
    assert_eq!(run.code, 0, "{run:?}");
    let after = fs::metadata(site.file("team")).unwrap();
    // As Mailman itself: the saver's, in the shared group.
    assert_eq!((after.uid(), after.gid(), after.mode() & 0o777), (38, 38, 0o660));
    // Set-id it does nothing, whoever owns it.
    std::os::unix::fs::chown(&program, Some(38), Some(38)).unwrap();
    for (mode, command) in [(0o4755, "ban"), (0o2755, "unban")] {
        fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
        let run = run_as("12345", "12345", &[command, "a@example.net", "--list", "team"]);
        assert_eq!(run.code, 77, "{run:?}");
        assert!(run.stderr.contains("set-id"), "{run:?}");
    }
    for command in [&["banned", "a@b"][..], &["locks"]] {
        assert_eq!(run_as("12345", "12345", command).code, 77);
    }
    assert_eq!(site.bans("team"), ["eve@example.net"]);
}

#[test]
fn a_terminal_sees_how_far_it_has_come() {
    let site = Site::of(&["team", "open"]);
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mut command = Command::new("python3");
    command.args(["-c", spawn, crate::support::BIN, "ban", "eve@example.net", "--all"]);
    command.arg("--lists-dir").arg(site.lists());
    let run = crate::support::finish(&mut command);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.starts_with("\r\x1b[K1 of 2: open"), "{run:?}");
    assert!(run.stdout.contains("\r\x1b[Kopen  banned\r\nteam  banned\r\n"), "{run:?}");
}

#[test]
fn locks_may_be_elsewhere() {
    let site = Site::of(&["team"]);
    let other = site.path().join("other");
    fs::create_dir(&other).unwrap();
    let holder = Holder::take(&other.join("team.lock"), 300);
    let at = format!("--lock-dir={}", other.display());
    let args = ["ban", "eve@example.net", "--list", "team", "--wait=0"];
    assert_eq!(site.run(&[&args[..], &[&at]].concat()).code, 75);
    assert!(site.succeed(&["locks", &at]).contains(&holder.pid().to_string()));
    // Where mm_cfg.py says, without a word on the command line.
    let mm_cfg = format!("LOCK_DIR = '{}'\n", other.display());
    fs::write(site.path().join("mm_cfg.py"), mm_cfg).unwrap();
    assert_eq!(site.run(&args).code, 75);
    holder.release();
    assert_eq!(site.run(&args).code, 0);
    let gone = format!("--lock-dir={}", site.path().join("gone").display());
    assert_eq!(site.run(&["locks", &gone]).code, 66);
}
