//! Many bans, each undone: Python finds `ban_list` alone changed, and then nothing.

use crate::support::{Differ, Site, fixtures, old_python, python};
use mm_query::pickle::StringList;
use mm_query::python::Python;
use std::fs;
use std::path::{Path, PathBuf};

/// Rounds if `BAN_ROUNDS` does not say another number.
const ROUNDS: usize = 60;

/// All lists below a directory.
fn lists_below(dir: &Path) -> Vec<PathBuf> {
    let mut lists: Vec<PathBuf> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    lists.sort();
    lists.retain(|list| list.join("config.pck").is_file());
    lists
}

/// The corpora, the sample lists, and what `BAN_LISTS` names besides.
fn sources() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus");
    let mut dirs: Vec<PathBuf> =
        fs::read_dir(corpus).unwrap().map(|site| site.unwrap().path().join("lists")).collect();
    dirs.retain(|dir| dir.is_dir());
    dirs.push(fixtures());
    dirs.sort();
    if let Some(more) = std::env::var_os("BAN_LISTS") {
        dirs.extend(std::env::split_paths(&more));
    }
    dirs
}

/// Sample lists that cannot be changed.
const READ_ONLY: [&str; 6] = ["corrupt", "fallback", "old", "older", "oldest", "proto4"];

#[test]
fn only_the_ban_list_changes_and_unban_brings_it_back() {
    let rounds = std::env::var("BAN_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let site = Site::empty();
    let (mut names, mut odd) = (Vec::new(), 0);
    for list in sources().iter().flat_map(|dir| lists_below(dir)) {
        let name = format!("l{}", names.len());
        if READ_ONLY.iter().any(|other| list.ends_with(other)) {
            continue;
        }
        let pickle = fs::read(list.join("config.pck")).unwrap();
        if StringList::find(&pickle, "ban_list").is_ok() {
            site.add(&list, &name);
            names.push((name, list));
        } else {
            // No list of strings: nothing is added to it.
            odd += 1;
            let odd = format!("odd{odd}");
            site.add(&list, &odd);
            let run = site.run(&["ban", "a@example.org", "--list", &odd]);
            assert_eq!(run.code, 65, "{}: {run:?}", list.display());
            assert!(fs::read(site.file(&odd)).unwrap() == pickle, "{}", list.display());
        }
    }
    assert!(names.len() > 30, "{}", names.len());
    let port =
        |pickle: &[u8]| StringList::find(pickle, "ban_list").unwrap().python() == Python::Three;
    let (mut two, mut three) =
        (Differ::start(old_python(&["differ"])), Differ::start(python(&["differ"])));
    let scratch = site.path().join("before");
    for round in 0..rounds {
        let (name, source) = &names[round * 7 % names.len()];
        let entry = match round % 4 {
            0 => format!("r{round}@banned.example"),
            1 => format!(r"^.*\.r{round}@(a|b)\.banned\.example$"),
            2 => format!("{}{round}@banned.example", "long".repeat(80)),
            _ => format!("R{round}@Banned.Example"),
        };
        let file = site.file(name);
        let old = fs::read(&file).unwrap();
        fs::write(&scratch, &old).unwrap();
        let judge = if port(&old) { &mut three } else { &mut two };
        let run = site.run(&["ban", &entry, "--list", name]);
        assert!(run.code == 0 && run.stdout.contains("  banned"), "{}: {run:?}", source.display());
        let changed = judge.differ(&scratch, &file);
        let expected = [vec!["ban_list".to_owned()], vec![entry.clone()], Vec::new()];
        assert_eq!(changed, expected, "{}", source.display());
        site.succeed(&["unban", &entry, "--list", name]);
        assert_eq!(
            judge.differ(&scratch, &file),
            [const { Vec::<String>::new() }; 3],
            "{}",
            source.display()
        );
        assert!(fs::read(&file).unwrap() == old, "{}: other bytes", source.display());
    }
}
