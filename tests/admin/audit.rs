//! `audit` on sites with one fault each, and `harden` as Python reads it.

use crate::support::{Run, Site, finish};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

const GOOD: &str = "from Defaults import *
SUBSCRIBE_FORM_SECRET = 'mF9c0s8Wz7mQ2bXvKq5tLr1y'
SUBSCRIBE_FORM_MIN_TIME = seconds(10)
CAPTCHAS = {'en': [('What is two times six?', '(12|twelve)')]}
";

/// A site that has no fault yet.
struct Audited {
    site: Site,
}

impl Audited {
    fn new() -> Audited {
        let audited = Audited { site: Site::empty() };
        audited.settings(GOOD, 0o640);
        audited.list("team", "");
        audited
    }

    fn mm_cfg(&self) -> PathBuf {
        self.site.path().join("mm_cfg.py")
    }

    fn settings(&self, text: &str, mode: u32) {
        fs::write(self.mm_cfg(), text).unwrap();
        fs::set_permissions(self.mm_cfg(), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Writes a list; `changes` are further items of the dictionary.
    fn list(&self, name: &str, changes: &str) {
        const SCRIPT: &str = "
import pickle, sys
d = {'host_name': 'lists.example.org', 'members': {'a@example.org': 0}, 'digest_members': {},
     'user_options': {}, 'language': {}, 'data_version': 112, 'subscribe_policy': 1,
     'generic_nonmember_action': 2, 'respond_to_post_requests': 1, 'forward_auto_discards': 1,
     'accept_these_nonmembers': [], 'hold_these_nonmembers': [], 'reject_these_nonmembers': [],
     'discard_these_nonmembers': [], 'ban_list': [], 'acceptable_aliases': '',
     'bounce_matching_headers': '', 'header_filter_rules': [], 'preferred_language': 'en',
     'available_languages': ['en'], 'subscribe_auto_approval': [],
     'dmarc_moderation_addresses': []}
d.update(eval('{' + sys.argv[2] + '}'))
pickle.dump(d, open(sys.argv[1], 'wb'), 4)
";
        fs::create_dir_all(self.site.lists().join(name)).unwrap();
        let file = self.site.file(name);
        let status = Command::new("python3").args(["-c", SCRIPT]).arg(file).arg(changes).status();
        assert!(status.expect("python3").success());
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut command = self.site.command(args);
        command.arg(format!("--mm-cfg={}", self.mm_cfg().display()));
        if args.contains(&"audit") {
            command.arg("--exim=/nonexistent/exim");
            command.arg(format!("--lock-dir={}", self.site.locks().display()));
        }
        finish(&mut command)
    }

    /// What is found, as `severity check: text`.
    fn found(&self) -> Vec<String> {
        let run = self.run(&["audit", "--json"]);
        let mut findings = run.json()["findings"].as_array().unwrap().clone();
        // Whether Exim asks is for the tests with a real one.
        let exim = findings.iter().position(|f| f["check"] == "exim").expect("not looked at");
        assert_eq!(findings.remove(exim)["severity"], "low");
        let bad = findings.iter().any(|f| f["severity"] != "low");
        assert_eq!(run.code, if bad { 78 } else { 0 }, "{run:?}");
        let text = |f: &Value, key: &str| f[key].as_str().unwrap().to_owned();
        for finding in &findings {
            assert!(!text(finding, "why").is_empty() && !text(finding, "remedy").is_empty());
        }
        let shown =
            |f| format!("{} {}: {}", text(f, "severity"), text(f, "check"), text(f, "text"));
        findings.iter().map(shown).collect()
    }

    /// The one thing found.
    fn one(&self) -> String {
        let found = self.found();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }
}

#[test]
fn a_site_in_order_has_no_findings() {
    let audited = Audited::new();
    assert_eq!(audited.found(), [""; 0]);
    let run = audited.run(&["audit"]);
    assert!(run.code == 0 && run.stdout.ends_with("\n0 high, 0 medium, 1 low\n"), "{run:?}");
}

#[test]
fn the_sites_settings() {
    let audited = Audited::new();
    for (text, mode, expected) in [
        ("from Defaults import *\n", 0o644, "high form: SUBSCRIBE_FORM_SECRET is not set"),
        (GOOD, 0o644, "medium form: everybody on this machine can read SUBSCRIBE_FORM_SECRET"),
        ("x = (\n", 0o640, "high mm_cfg: "),
    ] {
        audited.settings(text, mode);
        assert!(audited.one().starts_with(expected), "{:?}", audited.one());
    }
    for (line, expected) in [
        ("SUBSCRIBE_FORM_SECRET = 'secret'", "medium form: SUBSCRIBE_FORM_SECRET in "),
        ("SUBSCRIBE_FORM_MIN_TIME = seconds(1)", "low form: SUBSCRIBE_FORM_MIN_TIME is below"),
        (
            "SUBSCRIBE_FORM_MIN_TIME = hours(2)",
            "high form: SUBSCRIBE_FORM_MIN_TIME is FORM_LIFETIME",
        ),
        ("CAPTCHAS = None", "medium captcha: CAPTCHAS are not set"),
        ("CAPTCHAS = {'de': [('q', '4')]}", "high captcha: CAPTCHAS has no 'en'"),
        ("CAPTCHAS = ['q']", "high captcha: CAPTCHAS is no dictionary"),
        ("CAPTCHAS['en'] = []", "high captcha: CAPTCHAS['en'] is empty"),
        (
            "CAPTCHAS['en'] = [('q', '4|four')]",
            "medium captcha: CAPTCHAS['en'][0]: the answer 4|four",
        ),
        ("CAPTCHAS['en'] = [('q', '(four')]", "high captcha: CAPTCHAS['en'][0]: the answer (four"),
        ("DEFAULT_SUBSCRIBE_POLICY = 0", "high joining: new lists have open subscriptions"),
        ("ALLOW_OPEN_SUBSCRIBE = Yes", "low joining: lists' owners can open subscriptions"),
        ("BLOCK_SPAMHAUS_LISTED_DBL_SUBSCRIBE = Yes", "low spamhaus: "),
        ("BLOCK_SPAMHAUS_LISTED_IP_SUBSCRIBE = Yes", "low spamhaus: "),
        (
            "TRUSTEDREMOTESERVER = ['0.0.0.0/0']",
            "high trusted: TRUSTEDREMOTESERVER trusts too much",
        ),
        ("TRUSTEDLOCALSERVER = ['^.*']", "high trusted: TRUSTEDLOCALSERVER trusts too much"),
        ("GLOBAL_BAN_LIST = ['^.*']", "high pattern: GLOBAL_BAN_LIST: ^.* is a pattern that"),
        (
            "GLOBAL_BAN_LIST = ['.*@x.example']",
            "medium pattern: GLOBAL_BAN_LIST: .*@x.example is an",
        ),
        ("GLOBAL_BAN_LIST = open('/etc/bans').read().split()", "low mm_cfg: "),
    ] {
        audited.settings(&format!("{GOOD}{line}\n"), 0o640);
        assert!(audited.one().starts_with(expected), "{line}: {:?}", audited.one());
    }
    // Google's question stands in for Mailman's.
    audited.settings(&format!("{GOOD}CAPTCHAS = None\nRECAPTCHA_SECRET_KEY = 'k'\n"), 0o640);
    assert_eq!(audited.found(), [""; 0]);
}

#[test]
fn the_lists_settings() {
    let audited = Audited::new();
    for (changes, expected) in [
        ("'subscribe_policy': 0", "high joining: subscriptions are open: other"),
        ("'generic_nonmember_action': 0", "medium posting: any nonmember may post: other"),
        ("'generic_nonmember_action': 1", "medium answers: senders of held posts get an answer"),
        ("'hold_these_nonmembers': ['a@b.example']", "medium answers: senders of held posts"),
        ("'generic_nonmember_action': 3", "low discards: the owners get a copy"),
        (
            "'accept_these_nonmembers': ['^.*$']",
            "high pattern: accept_these_nonmembers of other: ^.*$",
        ),
        (
            "'accept_these_nonmembers': ['.*@x.example']",
            "medium pattern: accept_these_nonmembers of",
        ),
        (
            "'reject_these_nonmembers': ['^(x']",
            "medium pattern: reject_these_nonmembers of other: ^(x",
        ),
        ("'ban_list': ['^']", "high pattern: ban_list of other: ^ is"),
        (
            "'header_filter_rules': [('^subject: (x', 3, False)]",
            "medium pattern: header_filter_rules",
        ),
        ("'bounce_matching_headers': 'no header'", "medium pattern: bounce_matching_headers of"),
        ("'acceptable_aliases': '.*'", "low pattern: acceptable_aliases of other: .*"),
        ("'preferred_language': 'de'", "low captcha: CAPTCHAS has no questions in: de"),
    ] {
        audited.list("other", changes);
        assert!(audited.one().starts_with(expected), "{changes}: {:?}", audited.one());
    }
    for fine in [
        "'generic_nonmember_action': 1, 'respond_to_post_requests': 0",
        "'generic_nonmember_action': 3, 'forward_auto_discards': 0",
        "'accept_these_nonmembers': ['@team', 'a@b.example', '^.*@example\\\\.org$']",
        "'header_filter_rules': [('^subject:.*viagra\\n# all others', 3, False)]",
        "'bounce_matching_headers': '# a remark\\nto: friend@public.com'",
        "'acceptable_aliases': 'old-name@example.org\\n*not a pattern'",
        "'ban_list': ['@x']",
    ] {
        audited.list("other", fine);
        assert_eq!(audited.found(), [""; 0], "{fine}");
    }
}

#[test]
fn bans_of_most_lists_and_not_of_all() {
    let audited = Audited::new();
    for list in ["one", "two"] {
        audited.list(list, "'ban_list': ['eve@example.net', '^.*@it\\'s.example$']");
    }
    audited.list("three", "'ban_list': ['own@example.net', 'eve@example.net']");
    let found = audited.one();
    assert!(found.ends_with("is banned by most lists, and not by three"), "{found}");
    let said = audited.run(&["audit", "--json"]).json();
    let remedy = said["findings"][0]["remedy"].as_str().unwrap();
    assert_eq!(remedy, r"mm-query ban '^.*@it'\''s.example$' --list three");
    audited.list("three", "'ban_list': ['eve@example.net', '^.*@it\\'s.example$']");
    assert_eq!(audited.found(), [""; 0]);
}

#[test]
fn files_and_locks() {
    let audited = Audited::new();
    fs::write(audited.site.locks().join("team.lock"), "/x/team.lock.elsewhere.7.0\n").unwrap();
    let lock =
        fs::File::options().write(true).open(audited.site.locks().join("team.lock")).unwrap();
    lock.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(audited.one(), "medium locks: stale locks: team.lock");
    fs::remove_file(audited.site.locks().join("team.lock")).unwrap();

    fs::copy(audited.site.file("team"), audited.site.last("team")).unwrap();
    fs::write(audited.site.file("team"), "cut").unwrap();
    let found = audited.one();
    assert!(found.ends_with("config.pck.last read: team"), "{found}");
    fs::remove_file(audited.site.last("team")).unwrap();
    let found = audited.one();
    assert!(found.starts_with("high files: team could not be read"), "{found}");

    audited.list("team", "");
    fs::remove_dir_all(audited.site.locks()).unwrap();
    assert!(audited.one().starts_with("low locks: locks were not looked at"));
}

/// The worst comes first, and nothing that is said can move the terminal's cursor.
#[test]
fn a_page_for_people() {
    let audited = Audited::new();
    audited.settings(&format!("{GOOD}BLOCK_SPAMHAUS_LISTED_DBL_SUBSCRIBE = Yes\n"), 0o640);
    audited.list("evil", "'subscribe_policy': 0, 'ban_list': ['^(\\x1b[31m\\r\\nx']");
    let run = audited.run(&["audit"]);
    assert_eq!(run.code, 78);
    let heads: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|l| l.get(..7))
        .collect();
    assert_eq!(heads[..3], ["HIGH   ", "medium ", "low    "], "{}", run.stdout);
    assert!(run.stdout.ends_with("\n1 high, 1 medium, 2 low\n"), "{}", run.stdout);
    assert!(!run.stdout.contains(|c: char| c.is_control() && c != '\n'), "{}", run.stdout);
    assert!(run.stdout.contains("-> subscribe_policy = 1"), "{}", run.stdout);
}

/// What Mailman would make of the fragment, in each Python that is here.
#[test]
fn python_reads_what_harden_prints() {
    const SCRIPT: &str = r#"
import re, sys
names = {'seconds': lambda n: n}
source = open(sys.argv[1]).read()
exec(source, names)
secret, questions = names['SUBSCRIBE_FORM_SECRET'], names['CAPTCHAS']
assert re.match('^[A-Za-z0-9+/]{32}$', secret), secret
assert names['SUBSCRIBE_FORM_MIN_TIME'] == 10
assert isinstance(questions, dict) and 'en' in questions
assert sorted(questions) == sys.argv[2].split(','), sorted(questions)
def right(answer, given): return bool(re.match(answer + '$', given))
for language, pairs in questions.items():
    assert len(pairs) >= 3
    for asked, answer in pairs:
        a, b = [int(n) for n in re.findall('[0-9]+', asked)]
        product = str(a * b)
        assert right(answer, product) and right(answer, ' ' + product + ' ')
        for wrong in ['', 'x', product + '1', '1' + product, str(a * b + 1), product + ' x']:
            assert not right(answer, wrong), (answer, wrong)
print(secret)
"#;
    let audited = Audited::new();
    audited
        .list("fr", "'preferred_language': 'fr', 'available_languages': ['fr', 'pt_BR', 'x y\\n']");
    let mut secrets = Vec::new();
    for (args, languages) in
        [(&["harden"][..], "en,fr,pt_BR"), (&["harden", "--language", "de", "ja"], "de,en,ja")]
    {
        let run = audited.run(args);
        assert!(run.code == 0 && run.stderr.is_empty(), "{run:?}");
        let file = audited.site.path().join("fragment.py");
        fs::write(&file, &run.stdout).unwrap();
        for python in ["python3", "python2.7"] {
            let mut command = Command::new(python);
            command.env("PYENV_VERSION", "2.7.18").env_remove("PYTHONPATH");
            if python == "python3" {
                command.env_remove("PYENV_VERSION");
            }
            match command.args(["-c", SCRIPT]).arg(&file).arg(languages).output() {
                Ok(output) if output.status.success() => secrets.push(output.stdout),
                // Python 2 is not everywhere.
                Ok(output) if python == "python2.7" && output.status.code() == Some(127) => {}
                Err(_) if python == "python2.7" => {}
                other => panic!("{python}: {other:?}\n{}", run.stdout),
            }
        }
        // And we find nothing to complain about.
        audited.settings(&format!("from Defaults import *\n{}", run.stdout), 0o640);
        let found = audited.found();
        assert!(found.iter().all(|f| f.starts_with("low captcha: CAPTCHAS has no questions in")));
        audited.settings(GOOD, 0o640);
    }
    secrets.dedup();
    assert!(secrets.len() >= 2, "each secret is a new one");
    for bad in ["x'y", "a b", "", "en\n"] {
        assert_eq!(audited.run(&["harden", "--language", bad]).code, 64, "{bad:?}");
    }
}
