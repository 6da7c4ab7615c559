//! The lists of the soak, each in two states between which a writer changes, and what may be
//! refused in either.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::server;

/// A list's name, and the two lists of the fixtures whose files it has by turns.
pub(super) const LISTS: [(&str, [&str; 2]); 6] = [
    ("changing", ["team", "open"]),
    ("strict", ["announce", "team"]),
    ("ages", ["old", "bouncing"]),
    ("silent", ["held", "dropped"]),
    ("words", ["umlaut", "latin"]),
    ("port", ["py3", "team"]),
];

/// Who writes to them.
pub(super) const SENDERS: [&str; 4] =
    ["alice@example.org", "bob@example.org", "mallory@example.net", "eve@spam.example"];

/// Puts the lists into the lists' folder and, for the writer, both of their files into `states`.
pub(super) fn make_lists(root: &Path, mount: impl FnOnce(&Path)) {
    let lists = root.join("lists");
    let kept = root.join("fixtures");
    fs::rename(&lists, &kept).unwrap();
    fs::create_dir(&lists).unwrap();
    mount(&lists);
    let (uid, gid) = server::account("list").unwrap();
    for (name, states) in LISTS {
        for (number, state) in states.iter().enumerate() {
            let one = root.join("states").join(number.to_string());
            fs::create_dir_all(one.join(name)).unwrap();
            fs::copy(kept.join(state).join("config.pck"), one.join(name).join("config.pck"))
                .unwrap();
        }
        fs::create_dir(lists.join(name)).unwrap();
        let file = lists.join(name).join("config.pck");
        fs::copy(root.join("states/0").join(name).join("config.pck"), &file).unwrap();
        for path in [lists.join(name), file] {
            std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
        }
    }
}

/// Which posts some state of a list refuses.
pub(super) struct Verdicts {
    may_refuse: HashSet<(&'static str, &'static str)>,
    must_refuse: HashSet<(&'static str, &'static str)>,
}

impl Verdicts {
    /// Asks the program about each state at rest.
    pub(super) fn ask(root: &Path) -> Verdicts {
        let mut refusals: HashMap<(&str, &str), usize> = HashMap::new();
        for (name, _) in LISTS {
            for sender in SENDERS {
                for state in ["0", "1"] {
                    let states = root.join("states").join(state);
                    let status = Command::new(root.join("mm-query"))
                        .args(["test-sender", name, sender])
                        .arg(format!("--lists-dir={}", states.display()))
                        .output()
                        .unwrap()
                        .status;
                    match status.code() {
                        Some(0) => {}
                        Some(1) => *refusals.entry((name, sender)).or_default() += 1,
                        other => panic!("{name} {sender} {state}: {other:?}"),
                    }
                }
            }
        }
        let may_refuse: HashSet<_> = refusals.keys().copied().collect();
        let must_refuse: HashSet<_> =
            refusals.iter().filter(|(_, count)| **count == 2).map(|(key, _)| *key).collect();
        assert!(may_refuse.len() < LISTS.len() * SENDERS.len(), "somebody may always post");
        assert!(!must_refuse.is_empty() && must_refuse.len() < may_refuse.len());
        Verdicts { may_refuse, must_refuse }
    }

    /// Whether some state refuses the post.
    pub(super) fn may_refuse(&self, list: &'static str, sender: &'static str) -> bool {
        self.may_refuse.contains(&(list, sender))
    }

    /// Whether every state does.
    pub(super) fn must_refuse(&self, list: &'static str, sender: &'static str) -> bool {
        self.must_refuse.contains(&(list, sender))
    }
}
