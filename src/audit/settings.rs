//! The site's settings: the subscription form's protection, Spamhaus, trusted servers, bans.

use super::Severity::{High, Low, Medium};
use super::{Finding, Severity, captchas, named, text};
use crate::overview::patterns::{Kind, of_address};
use crate::python::Python;
use crate::python::literal::Literal;
use crate::python::re::{self, Answer, Budget, Flags};
use crate::python::text::PyStr;

/// The settings that are looked at.
pub const NAMES: [&str; 12] = [
    "SUBSCRIBE_FORM_SECRET",
    "SUBSCRIBE_FORM_MIN_TIME",
    "FORM_LIFETIME",
    "CAPTCHAS",
    "RECAPTCHA_SECRET_KEY",
    "BLOCK_SPAMHAUS_LISTED_IP_SUBSCRIBE",
    "BLOCK_SPAMHAUS_LISTED_DBL_SUBSCRIBE",
    "GLOBAL_BAN_LIST",
    "TRUSTEDLOCALSERVER",
    "TRUSTEDREMOTESERVER",
    "ALLOW_OPEN_SUBSCRIBE",
    "DEFAULT_SUBSCRIBE_POLICY",
];

/// Letters that a secret has at least, and of how many kinds.
const SECRET_LETTERS: usize = 16;
const SECRET_KINDS: usize = 8;

/// What is known of the site's file.
pub struct Facts<'a> {
    /// Its settings: a value, nothing, or the line that cannot be followed.
    pub get: &'a dyn Fn(&str) -> Result<Option<Literal>, usize>,
    /// The file's name.
    pub file: &'a str,
    /// The line of a syntax error.
    pub broken: Option<usize>,
    /// Everybody on the machine may read it.
    pub readable: bool,
    /// The languages of the site's lists.
    pub languages: &'a [String],
    /// The Python that runs Mailman.
    pub python: Python,
    /// A secret that nobody knows yet.
    pub fresh: &'a str,
}

/// Looks at all of [`NAMES`].
pub fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let file = facts.file;
    if let Some(line) = facts.broken {
        let text = format!("{file} has a syntax error in line {line}");
        let why = "Mailman does not start with it, and nothing in it could be looked at";
        return vec![Finding::new(High, "mm_cfg", text, why, format!("correct {file}"))];
    }
    let mut found = Vec::new();
    let lost: Vec<String> = NAMES
        .iter()
        .filter_map(|name| Some(format!("{name} (line {})", (facts.get)(name).err()?)))
        .collect();
    if !lost.is_empty() {
        let text = format!("{file} sets in a way that cannot be followed: {}", named(&lost));
        let why = "these settings were not looked at";
        found.push(Finding::new(Low, "mm_cfg", text, why, "look at them yourself"));
    }
    let value = |name: &str| (facts.get)(name).ok().flatten();
    if (facts.get)("SUBSCRIBE_FORM_SECRET").is_ok() {
        found.extend(form(facts, &value));
    }
    found.extend(open_subscription(file, &value));
    found.extend(spamhaus(file, &value));
    for name in ["TRUSTEDLOCALSERVER", "TRUSTEDREMOTESERVER"] {
        found.extend(value(name).and_then(|servers| trusted(name, &servers, facts.python)));
    }
    if let Some(Literal::List(entries) | Literal::Tuple(entries)) = value("GLOBAL_BAN_LIST") {
        found.extend(entries.iter().filter_map(|entry| global_ban(entry, facts.python)));
    }
    found
}

/// `subscribe_policy` of new lists, and whether their owners may take it away (0: nobody is asked).
fn open_subscription(file: &str, value: &dyn Fn(&str) -> Option<Literal>) -> Vec<Finding> {
    let mut found = Vec::new();
    let why = "whoever fills in the form subscribes anybody, who is asked nothing";
    if value("DEFAULT_SUBSCRIBE_POLICY").as_ref().and_then(number) == Some(0.0) {
        let text =
            format!("new lists have open subscriptions, by DEFAULT_SUBSCRIBE_POLICY in {file}");
        found.push(Finding::new(High, "joining", text, why, "DEFAULT_SUBSCRIBE_POLICY = 1"));
    }
    if is_true(value("ALLOW_OPEN_SUBSCRIBE").as_ref()) {
        let text =
            format!("lists' owners can open subscriptions, by ALLOW_OPEN_SUBSCRIBE in {file}");
        found.push(Finding::new(Low, "joining", text, why, "ALLOW_OPEN_SUBSCRIBE = No"));
    }
    found
}

fn number(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Bool(b) => Some(f64::from(u8::from(*b))),
        #[allow(clippy::cast_precision_loss, reason = "seconds")]
        Literal::Int(i) => Some(*i as f64),
        Literal::Float(f) => Some(*f),
        _ => None,
    }
}

fn is_true(literal: Option<&Literal>) -> bool {
    match literal {
        None | Some(Literal::None) => false,
        Some(Literal::Bool(b)) => *b,
        Some(Literal::Int(i)) => *i != 0,
        Some(Literal::Float(f)) => *f != 0.0,
        Some(Literal::Bytes(b)) => !b.is_empty(),
        Some(Literal::Text(t)) => !t.is_empty(),
        Some(Literal::List(items) | Literal::Tuple(items)) => !items.is_empty(),
        Some(Literal::Dict(entries)) => !entries.is_empty(),
    }
}

/// Something that a dictionary or a few tries would find.
fn is_weak(secret: &str) -> bool {
    let mut kinds: Vec<char> = secret.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    secret.chars().count() < SECRET_LETTERS || kinds.len() < SECRET_KINDS
}

/// The form's secret, the pause, and the question (RULES 8.6, 8.7).
fn form(facts: &Facts<'_>, value: &dyn Fn(&str) -> Option<Literal>) -> Vec<Finding> {
    let file = facts.file;
    let line = format!("SUBSCRIBE_FORM_SECRET = '{}'", facts.fresh);
    let secret = value("SUBSCRIBE_FORM_SECRET");
    if !is_true(secret.as_ref()) {
        let text = format!("SUBSCRIBE_FORM_SECRET is not set in {file}");
        let why = "any program can fill in the subscription form with strangers' addresses, and \
                   SUBSCRIBE_FORM_MIN_TIME and CAPTCHAS have no effect";
        return vec![Finding::new(High, "form", text, why, line)];
    }
    let mut found = Vec::new();
    match secret.as_ref().and_then(text) {
        Some(secret) if is_weak(&secret) => {
            let text = format!("SUBSCRIBE_FORM_SECRET in {file} can be guessed");
            let why = "whoever knows it makes tokens of the form without fetching it";
            found.push(Finding::new(Medium, "form", text, why, line));
        }
        Some(_) => {}
        None => {
            let text = format!("SUBSCRIBE_FORM_SECRET in {file} is no string");
            let why = "the subscription form fails";
            found.push(Finding::new(High, "form", text, why, line));
        }
    }
    if facts.readable {
        let text = format!("everybody on this machine can read SUBSCRIBE_FORM_SECRET in {file}");
        let why = "whoever knows it makes tokens of the form without fetching it";
        let remedy = format!("chgrp list {file}; chmod 640 {file}   (the group of Mailman's CGI)");
        found.push(Finding::new(Medium, "form", text, why, remedy));
    }
    found.extend(pause(value));
    // Google's question stands in for Mailman's.
    let asked = value("CAPTCHAS");
    if is_true(asked.as_ref()) || !is_true(value("RECAPTCHA_SECRET_KEY").as_ref()) {
        found.extend(captchas::findings(asked.as_ref(), facts.languages, facts.python));
    }
    found
}

fn pause(value: &dyn Fn(&str) -> Option<Literal>) -> Option<Finding> {
    let line = "SUBSCRIBE_FORM_MIN_TIME = seconds(10)";
    let finding =
        |severity, text: &str, why: &str| Some(Finding::new(severity, "form", text, why, line));
    let least = value("SUBSCRIBE_FORM_MIN_TIME")?;
    let Some(least) = number(&least) else {
        return finding(
            High,
            "SUBSCRIBE_FORM_MIN_TIME is no number",
            "the form fails, or never waits",
        );
    };
    let life = value("FORM_LIFETIME").as_ref().and_then(number).unwrap_or(3_600.0);
    if least >= life {
        let why = "no form is both old and new enough: nobody can subscribe by the web";
        return finding(High, "SUBSCRIBE_FORM_MIN_TIME is FORM_LIFETIME or more", why);
    }
    if least < 5.0 {
        let why = "a program sends the form as soon as it has it; a person takes some seconds";
        return finding(Low, "SUBSCRIBE_FORM_MIN_TIME is below five seconds", why);
    }
    None
}

/// RULES 8.8.
fn spamhaus(file: &str, value: &dyn Fn(&str) -> Option<Literal>) -> Vec<Finding> {
    let mut found = Vec::new();
    if is_true(value("BLOCK_SPAMHAUS_LISTED_DBL_SUBSCRIBE").as_ref()) {
        let text = format!("BLOCK_SPAMHAUS_LISTED_DBL_SUBSCRIBE is on in {file}");
        let why = "it never finds a domain: Mailman asks for a printed list in place of the name";
        let remedy = "BLOCK_SPAMHAUS_LISTED_DBL_SUBSCRIBE = No";
        found.push(Finding::new(Low, "spamhaus", text, why, remedy));
    }
    if is_true(value("BLOCK_SPAMHAUS_LISTED_IP_SUBSCRIBE").as_ref()) {
        let text = format!("BLOCK_SPAMHAUS_LISTED_IP_SUBSCRIBE is on in {file}");
        let why = "it looks at the address in a header that clients can send, and at IPv6 only with \
                   Python's ipaddress module";
        let remedy = "RequestHeader unset X-Forwarded-For early   (Apache; unless a proxy sets it)";
        found.push(Finding::new(Low, "spamhaus", text, why, remedy));
    }
    found
}

/// Addresses that no site's servers have in common (RFC 5737, RFC 3849).
const STRANGERS: [&str; 4] = ["192.0.2.77", "198.51.100.9", "203.0.113.200", "8.41.7.6"];

/// Servers that vouch for whatever comes through them: networks that are too large to be one's own,
/// and patterns that strangers match.
fn trusted(name: &'static str, servers: &Literal, python: Python) -> Option<Finding> {
    let entries = match servers {
        Literal::List(items) | Literal::Tuple(items) => items.iter().filter_map(text).collect(),
        other => vec![text(other)?],
    };
    let wide: Vec<String> = entries.into_iter().filter(|entry| is_wide(entry, python)).collect();
    if wide.is_empty() {
        return None;
    }
    let text = format!("{name} trusts too much: {}", named(&wide));
    let why = "a nonmember's post is accepted if one of these servers vouches for it";
    let remedy = format!("{name} = ['192.0.2.25']   (the addresses of your servers alone)");
    Some(Finding::new(High, "trusted", text, why, remedy))
}

fn is_wide(entry: &str, python: Python) -> bool {
    if entry.starts_with('^') {
        let mut budget = Budget::new(1_000_000);
        let mut hits = |stranger: &&str| {
            let (pattern, stranger) = (PyStr::of(entry, python), PyStr::of(stranger, python));
            let answer = re::search(&pattern, &stranger, Flags::default(), python, &mut budget);
            answer == Answer::Match
        };
        return STRANGERS.iter().any(&mut hits);
    }
    let Some((address, bits)) = entry.split_once('/') else { return false };
    let Ok(bits) = bits.trim().parse::<u8>() else { return false };
    match address.trim().parse() {
        Ok(std::net::IpAddr::V4(own)) => {
            bits < 16 && !(own.is_private() || own.is_loopback()) || bits < 8
        }
        Ok(std::net::IpAddr::V6(_)) => bits < 32,
        Err(_) => false,
    }
}

fn global_ban(entry: &Literal, python: Python) -> Option<Finding> {
    let shown = text(entry)?;
    let kind = of_address(&PyStr::of(&shown, python), python);
    let (severity, why, remedy) = odd_ban("GLOBAL_BAN_LIST", &shown, &kind)?;
    let text = format!("GLOBAL_BAN_LIST: {shown} is {}", kind.words());
    Some(Finding::new(severity, "pattern", text, why, remedy))
}

/// What is wrong with an entry of a ban list, if something is: how bad, why, and what to do.
pub(super) fn odd_ban(
    setting: &str,
    entry: &str,
    kind: &Kind,
) -> Option<(Severity, &'static str, String)> {
    let (severity, why) = match kind {
        Kind::Everything => (High, "nobody can subscribe"),
        Kind::Invalid(_) | Kind::Fails(_) => (Medium, "it bans nobody"),
        Kind::LooksLikeAPattern => (Medium, "it bans nobody: only behind a ^ is it a pattern"),
        _ => return None,
    };
    let remedy = match kind {
        Kind::LooksLikeAPattern => format!("write ^{entry}"),
        _ => format!("take it out of {setting}, or correct it"),
    };
    Some((severity, why, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, Literal)], readable: bool) -> Vec<Finding> {
        let get = |name: &str| {
            let found = pairs.iter().find(|(own, _)| *own == name);
            Ok(found.map(|(_, value)| value.clone()))
        };
        findings(&Facts {
            get: &get,
            file: "mm_cfg.py",
            broken: None,
            readable,
            languages: &["en".to_owned()],
            python: Python::Two,
            fresh: "x",
        })
    }

    fn string(text: &str) -> Literal {
        Literal::Bytes(text.as_bytes().to_vec())
    }

    fn good() -> Vec<(&'static str, Literal)> {
        let question = Literal::Tuple(vec![string("2 times 6?"), string("(12|twelve)")]);
        vec![
            ("SUBSCRIBE_FORM_SECRET", string("mF9c0s8Wz7mQ2bXv")),
            ("SUBSCRIBE_FORM_MIN_TIME", Literal::Int(10)),
            ("FORM_LIFETIME", Literal::Int(3_600)),
            ("CAPTCHAS", Literal::Dict(vec![(string("en"), Literal::List(vec![question]))])),
        ]
    }

    /// The one finding of a site that is good but for these settings.
    fn one(name: &'static str, value: Literal) -> Finding {
        let mut pairs = good();
        pairs.retain(|(own, _)| *own != name);
        pairs.push((name, value));
        let mut found = of(&pairs, false);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found.remove(0)
    }

    #[test]
    fn a_site_as_it_should_be_has_no_findings() {
        assert_eq!(of(&good(), false), []);
        let readable = of(&good(), true);
        assert!(readable.len() == 1 && readable[0].text.contains("everybody"), "{readable:?}");
        let bare = of(&[], true);
        assert!(bare.len() == 1 && bare[0].severity == High, "{bare:?}");
    }

    #[test]
    fn the_form() {
        for secret in ["", "secret", "aaaaaaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc"] {
            let found = one("SUBSCRIBE_FORM_SECRET", string(secret));
            assert_eq!(found.severity, if secret.is_empty() { High } else { Medium }, "{secret}");
        }
        assert_eq!(one("SUBSCRIBE_FORM_SECRET", Literal::Int(7)).severity, High);
        assert_eq!(one("SUBSCRIBE_FORM_MIN_TIME", Literal::Int(0)).severity, Low);
        assert_eq!(one("SUBSCRIBE_FORM_MIN_TIME", Literal::Int(3_600)).severity, High);
        assert_eq!(one("SUBSCRIBE_FORM_MIN_TIME", string("5")).severity, High);
        assert!(one("CAPTCHAS", Literal::None).text.contains("CAPTCHAS"));
    }

    #[test]
    fn spamhaus_trusted_servers_and_bans() {
        for name in ["BLOCK_SPAMHAUS_LISTED_DBL_SUBSCRIBE", "BLOCK_SPAMHAUS_LISTED_IP_SUBSCRIBE"] {
            assert!(one(name, Literal::Bool(true)).text.contains(name));
        }
        let list = |entries: &[&str]| Literal::List(entries.iter().map(|e| string(e)).collect());
        for wide in ["0.0.0.0/0", "198.0.0.0/8", "::/0", "^", "^1", "^.*example"] {
            let finding = || one("TRUSTEDREMOTESERVER", list(&["192.0.2.1", wide]));
            if wide == "^.*example" {
                let mut pairs = good();
                pairs.push(("TRUSTEDREMOTESERVER", list(&[wide])));
                assert_eq!(of(&pairs, false), [], "it names no address");
            } else {
                assert!(finding().text.ends_with(wide), "{wide}");
            }
        }
        let mut pairs = good();
        let narrow = list(&["192.0.2.0/24", "10.0.0.0/8", "2001:db8::/48", "^192\\.0\\.2\\.1$"]);
        pairs.push(("TRUSTEDLOCALSERVER", narrow));
        pairs.push(("GLOBAL_BAN_LIST", list(&["eve@example.net", "^.*@spam\\.example$"])));
        assert_eq!(of(&pairs, false), []);
        assert_eq!(one("GLOBAL_BAN_LIST", list(&["^.*"])).severity, High);
        assert!(one("GLOBAL_BAN_LIST", list(&["^(x"])).why.contains("nobody"));
        assert!(one("GLOBAL_BAN_LIST", list(&[".*@spam.example"])).remedy.contains("^.*@"));
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        let get = |name: &str| if name == "CAPTCHAS" { Err(7) } else { Ok(None) };
        let facts = Facts {
            get: &get,
            file: "mm_cfg.py",
            broken: None,
            readable: false,
            languages: &[],
            python: Python::Two,
            fresh: "x",
        };
        let found = findings(&facts);
        assert!(found.iter().any(|f| f.text.contains("CAPTCHAS (line 7)")), "{found:?}");
        let found = findings(&Facts { broken: Some(3), ..facts });
        assert!(found.len() == 1 && found[0].text.contains("line 3"), "{found:?}");
    }
}
