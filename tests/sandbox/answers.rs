//! The program, in its sandbox, answers as the library does without one.

use crate::support::{MM_QUERY, fixtures, text};
use mm_query::cli;
use serde_json::Value;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// Asks both, and asserts that status and texts are the same.
fn same(args: &[OsString]) {
    let ours = Command::new(MM_QUERY).args(args).stdin(Stdio::null()).output().unwrap();
    let expected = cli::run([OsString::from("mm-query")].into_iter().chain(args.iter().cloned()));
    let code = expected.status.map_or(0, |status| i32::from(status.code()));
    assert_eq!(ours.status.code(), Some(code), "{args:?}: {ours:?}");
    let seen = text(&ours.stdout);
    let lines = seen.split_inclusive('\n').filter(|line| !line.starts_with("unconfined "));
    assert_eq!(lines.collect::<String>(), expected.stdout, "{args:?}");
    assert_eq!(text(&ours.stderr), expected.stderr, "{args:?}");
}

/// The lists and the site settings of a corpus.
fn site(corpus: &Path) -> Vec<OsString> {
    let mm_cfg = corpus.join("mm_cfg.py");
    let option = |name: &str, path: &Path| {
        let mut option = OsString::from(name);
        option.push(path);
        option
    };
    let mut options = vec![option("--lists-dir=", &corpus.join("lists"))];
    options.extend(mm_cfg.exists().then(|| option("--mm-cfg=", &mm_cfg)));
    options
}

/// The question of a line of a corpus' tables.
fn question(case: &Value, corpus: &Path) -> Vec<OsString> {
    let bytes = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let list = case["list"].as_str().unwrap();
    let Some(from) = case["from"].as_str().or(case["envelope_from"].as_str()) else {
        return vec!["list-domain".into(), list.into()];
    };
    let message = case["message"].as_str().map(|name| corpus.join("messages").join(name));
    let command = if message.is_some() { "test-message" } else { "test-sender" };
    let role = if message.is_some() { "--envelope-from=" } else { "--from=" };
    let given: Vec<u8> = [role.as_bytes().to_vec(), bytes(from)].concat();
    let mut args = vec![command.into(), list.into(), "--explain".into(), OsString::from_vec(given)];
    args.extend(message.map(OsString::from));
    args
}

#[test]
fn on_the_corpora() {
    let mut asked = HashSet::new();
    for corpus in fs::read_dir(fixtures().join("corpus")).unwrap() {
        let corpus = corpus.unwrap().path();
        for table in ["domains.jsonl", "sender.jsonl", "post.jsonl"] {
            let lines = fs::read_to_string(corpus.join(table)).unwrap_or_default();
            // Every fourth: each is a process of its own, and verdicts are for tests/corpus.rs.
            for line in lines.lines().step_by(4) {
                let args = [question(&serde_json::from_str(line).unwrap(), &corpus), site(&corpus)];
                let args = args.concat();
                // No program can be given a NUL.
                if args.iter().all(|arg| !arg.as_bytes().contains(&0)) {
                    same(&args);
                    asked.insert(args[0].clone());
                }
            }
        }
    }
    assert_eq!(asked.len(), 3, "{asked:?}");
}

#[test]
fn on_every_sample_list() {
    let mut seen = 0;
    for list in fs::read_dir(fixtures().join("lists")).unwrap() {
        let list = list.unwrap().file_name();
        let mut args = vec!["test-sender".into(), list.clone(), "eve@example.net".into()];
        args.extend(["--explain".into(), "--held=refuse".into()]);
        same(&[args, site(&fixtures())].concat());
        same(&[vec!["list-domain".into(), list], site(&fixtures())].concat());
        seen += 1;
    }
    assert!(seen > 20);
}

/// Links and mounts beneath the lists directory, and lists that others refer to.
#[test]
fn wherever_the_files_really_are() {
    let dir = tempfile::tempdir().unwrap();
    let lists = dir.path().join("lists");
    fs::create_dir(&lists).unwrap();
    let team = fixtures().join("lists/team/config.pck");
    for list in ["team", "mounted"] {
        fs::create_dir(lists.join(list)).unwrap();
    }
    fs::copy(&team, lists.join("team/config.pck")).unwrap();
    symlink("team", lists.join("alias")).unwrap();
    symlink(&lists, dir.path().join("link")).unwrap();
    let ask = |lists: &Path, list: &str| {
        let option = format!("--lists-dir={}", lists.display());
        same(&["test-sender", list, "alice@example.org", &option].map(OsString::from));
        same(&["test-sender", list, "eve@example.net", &option].map(OsString::from));
    };
    for list in ["team", "alias"] {
        ask(&lists, list);
        ask(&dir.path().join("link"), list);
    }
    if !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "CI must run the tests as root");
        return;
    }
    let script = "mount --bind \"$1\" \"$2/mounted\" && shift 1 &&
        exec \"$2\" test-sender mounted eve@example.net --explain --lists-dir=\"$1\"";
    let output = Command::new("unshare")
        .args(["--mount", "--propagation=private", "/bin/sh", "-c", script, "sh"])
        .args([team.parent().unwrap(), &lists, Path::new(MM_QUERY)])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stdout).contains("verdict    reject"), "{output:?}");
}
