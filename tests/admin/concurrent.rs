//! Many writers at once, and Mailman's kind among them: nobody's change is lost.

use crate::support::{Site, old_python};
use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

/// Processes of ours at once.
const PROCESSES: usize = 200;

/// Changes that the other writer makes in the meantime.
const OTHERS: usize = 6;

fn counted(entries: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for entry in entries {
        *counts.entry(entry.as_str()).or_default() += 1;
    }
    counts
}

#[test]
fn two_hundred_at_once_and_another_writer_lose_nothing() {
    let site = Site::of(&["bouncing"]);
    let entry = |n: usize| format!("eve{n}@banned.example");
    let mut writer = old_python(&["write"]);
    writer.arg(site.lists().join("bouncing")).arg(site.lock("bouncing"));
    writer.args([&OTHERS.to_string(), "other"]).stdout(Stdio::piped());
    let writer = writer.spawn().unwrap();
    let ours: Vec<_> = (0..PROCESSES)
        .map(|n| {
            let mut command = site.command(&["ban", &entry(n), "--list", "bouncing"]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut expected = BTreeMap::new();
    for (n, child) in ours.into_iter().enumerate() {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{n}: {output:?}");
        assert_eq!(output.stdout, b"bouncing  banned\n1 of 1 lists changed\n", "{n}");
        expected.insert(entry(n), 1);
    }
    let written = writer.wait_with_output().unwrap();
    assert!(written.status.success());
    let written = String::from_utf8(written.stdout).unwrap();
    assert_eq!(written.lines().count(), OTHERS);
    expected.extend(written.lines().map(|address| (address.to_owned(), 1)));
    let bans = site.bans("bouncing");
    let expected = expected.iter().map(|(entry, count)| (entry.as_str(), *count)).collect();
    assert_eq!(counted(&bans), expected);
    let said = site.succeed(&["banned", "other-3@peer.example"]);
    assert_eq!(said, "bouncing  other-3@peer.example\n");
    let litter = site.litter("bouncing");
    assert_eq!(litter, Vec::<String>::new());
}

#[test]
fn bans_and_unbans_at_once_all_take_place() {
    let site = Site::of(&["team"]);
    let entry = |n: usize| format!("eve{n}@banned.example");
    for n in 0..20 {
        site.succeed(&["ban", &entry(n), "--list", "team"]);
    }
    let children: Vec<_> = (0..40)
        .map(|n| {
            let what = if n < 20 { "unban" } else { "ban" };
            let mut command = site.command(&[what, &entry(n), "--list", "team"]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let expected: Vec<String> = (20..40).map(entry).collect();
    let mut bans = site.bans("team");
    bans.sort();
    assert_eq!(bans, expected);
    assert_eq!(fs::read_dir(site.locks()).unwrap().count(), 0);
}
