//! `lists`, `show` and `members`: what is said is what Python reads.

use crate::support::{Site, fixtures};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

fn corpus(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus").join(name).join("lists")
}

/// What Python reads of each list below a folder: counts, and the members with what they are.
fn python(lists: &Path) -> Value {
    const SCRIPT: &str = "
import json, os, pickle, sys
class Other:
    def __setstate__(self, state): pass
class Reader(pickle.Unpickler):
    def find_class(self, module, name): return Other
out = {}
for name in os.listdir(sys.argv[1]):
    try:
        with open(os.path.join(sys.argv[1], name, 'config.pck'), 'rb') as f:
            d = Reader(f, encoding='latin-1').load()
        both = set(d['members']) | set(d['digest_members'])
        bits = d['user_options']
        out[name] = {'members': len(both), 'digests': len(d['digest_members']),
            'moderated': sum(1 for m in both if bits.get(m, 0) & 128),
            'who': {m: [m in d['digest_members'], bool(bits.get(m, 0) & 128),
                        m in d['bounce_info'], d['delivery_status'].get(m, (0,))[0]]
                    for m in sorted(both)[:5]}}
    except Exception as e:
        out[name] = None
json.dump(out, sys.stdout)
";
    let output = Command::new("python3").args(["-c", SCRIPT]).arg(lists).output().expect("python3");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn counts_and_members_are_those_that_python_reads() {
    let (mut lists, mut members) = (0, 0);
    for lists_dir in [corpus("a"), corpus("b"), fixtures()] {
        let site = Site::at(&lists_dir);
        let expected = python(&lists_dir);
        let said = site.run(&["lists", "--json"]).json();
        for list in said["lists"].as_array().unwrap() {
            let name = list["list"].as_str().unwrap();
            let read = &expected[name];
            if read.is_null() || list["members"].is_null() {
                continue;
            }
            for key in ["members", "digests", "moderated"] {
                assert_eq!(list[key], read[key], "{name}: {key}");
            }
            lists += 1;
            let who = read["who"].as_object().unwrap();
            if who.is_empty() || lists % 4 != 0 {
                continue;
            }
            let addresses: Vec<String> = who.keys().map(|one| one.to_uppercase()).collect();
            let mut args = vec!["members", name, "--json"];
            args.extend(addresses.iter().map(String::as_str));
            let found = site.run(&args).json();
            for (answer, (address, read)) in found["addresses"].as_array().unwrap().iter().zip(who)
            {
                // Python's upper case has letters that its lower case does not lead back from.
                if !address.is_ascii() {
                    continue;
                }
                assert_eq!(answer["member"], true, "{name}: {address}");
                assert_eq!(answer["as"].as_str(), Some(address.as_str()));
                let own = json!([answer["digests"], answer["moderated"], answer["bouncing"]]);
                assert_eq!(own, json!([read[0], read[1], read[2]]), "{name}: {address}");
                let off = answer["nomail"].as_str();
                assert_eq!(off == Some("by the member"), read[3] == 2, "{name}: {address}");
                assert_eq!(off == Some("by bounces"), read[3] == 4, "{name}: {address}");
                members += 1;
            }
        }
    }
    assert!(lists > 35 && members > 20, "{lists} lists and {members} members compared");
}

#[test]
fn lists_that_cannot_be_read_are_named_and_the_others_listed() {
    let site = Site::of(&["team", "corrupt", "fallback", "open"]);
    let run = site.run(&["lists"]);
    assert_eq!(run.code, 65);
    assert!(run.stderr.starts_with("mm-query: corrupt: "), "{run:?}");
    assert!(run.stderr.contains("warning: fallback: using "), "{run:?}");
    let names: Vec<&str> =
        run.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["fallback", "open", "team"]);
    let said = site.run(&["lists", "--json"]).json();
    assert_eq!(said["failed"][0]["list"], "corrupt");
    assert_eq!(said["failed"][0]["status"], 65);
}

#[test]
fn patterns_and_orders() {
    let site = Site::at(&fixtures());
    let names = |args: &[&str]| -> Vec<String> {
        let said = site.run(&[&["lists", "--json"], args].concat()).json();
        let lists = said["lists"].as_array().unwrap().iter();
        lists.map(|list| list["list"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["team"]), ["team", "team-owner"]);
    assert_eq!(names(&["t?am"]), ["team"]);
    assert_eq!(names(&["*.com"]), ["club_lists.example.com"]);
    assert_eq!(names(&["*@lists.example.net"]), ["club_lists.example.net"]);
    assert_eq!(names(&["nothing like it"]), [""; 0]);
    assert_eq!(names(&["py3*", "--sort=size"]), ["py3bouncing", "py3"]);
    assert_eq!(names(&["--sort=members"])[0], "py3");
    assert_eq!(names(&["club", "--sort=domain"]).len(), 2);
    let by_posting = names(&["--sort=posting"]);
    assert_eq!(by_posting[0], "open", "anybody comes before members");
}

#[test]
fn a_page_says_who_may_post_and_what_each_pattern_is() {
    let site = Site::at(&fixtures());
    let page = site.succeed(&["show", "team"]);
    for words in [
        "list          team@lists.example.org, written by Mailman 2.1\n",
        "members       5, 1 of them with digests, 1 moderated\n",
        "              moderated members are refused\n                Your posts to this list are moderated.\n",
        "              other nonmembers are refused\n                This list is for the members",
        "held besides  those that do not name the list",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let page = site.succeed(&["show", "guarded"]);
    assert!(page.contains("ban_list\n              mallory@example.net  (an address)\n"), "{page}");
    assert!(page.contains("^(unclosed  (invalid in Python: "), "{page}");
    let said = site.run(&["show", "patterns", "--json"]).json();
    let entries = said["entries"].as_array().unwrap();
    assert!(
        entries
            .iter()
            .any(|entry| entry["odd"] == true && entry["setting"] == "accept_these_nonmembers")
    );
    assert_eq!(site.run(&["show", "nosuch"]).code, 67);
    assert_eq!(site.run(&["show", "corrupt"]).code, 65);
    assert_eq!(site.run(&["members", "nosuch", "a@b.example"]).code, 67);
    assert_eq!(site.run(&["members", "team"]).code, 64);
}

#[test]
fn equivalent_domains_are_one() {
    let site = Site::at(&fixtures());
    let said = site.succeed(&["members", "equiv", "alice@example.net", "nobody@example.org", "x"]);
    assert!(said.contains("alice@example.net   member as alice@example.org"), "{said}");
    assert!(said.contains("nobody@example.org  no member"), "{said}");
    // Each answer is that address's own, however often it is asked for.
    let args = [
        "members",
        "equiv",
        "x",
        "ALICE@example.net",
        "alice@example.org",
        "x",
        "alice@example.org",
    ];
    let said = site.succeed(&args);
    let members = said.lines().map(|line| !line.ends_with("no member"));
    assert_eq!(members.collect::<Vec<_>>(), [false, true, true, false, true], "{said}");
}

/// Whoever writes a list's settings does not write to an administrator's terminal.
#[test]
fn settings_cannot_speak_to_the_terminal() {
    let site = Site::of(&["team"]);
    let text = fs::read(site.file("team")).unwrap();
    let domain = b"lists.example.org";
    let at = text.windows(domain.len()).position(|part| part == domain).unwrap();
    let mut evil = text.clone();
    evil[at..at + domain.len()].copy_from_slice(b"\x1b[31m\r\nevil\x07.test");
    fs::write(site.file("team"), evil).unwrap();
    for args in
        [&["lists"][..], &["lists", "--json"], &["show", "team"], &["show", "team", "--json"]]
    {
        let run = site.run(args);
        assert_eq!(run.code, 0, "{run:?}");
        let odd = |c: char| c.is_control() && c != '\n';
        assert!(!run.stdout.contains(odd) && !run.stderr.contains(odd), "{args:?}: {run:?}");
        assert!(!run.stdout.contains("\nevil"), "{run:?}");
    }
}
