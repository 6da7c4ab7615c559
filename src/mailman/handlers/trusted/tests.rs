//! Routes and spellings.

use super::*;
use crate::mailman::patterns::{OtherList, OtherLists};
use crate::mailman::senders::Senders;
use crate::python::Python;
use crate::python::message::Message;
use crate::python::re::Budget;

struct NoLists;

impl OtherLists for NoLists {
    fn member_of(&self, _: &PyStr, _: &PyStr) -> OtherList {
        OtherList::Unknown
    }
}

const RELAY: &str = "Received: from relay.example.org (relay.example.org [192.0.2.1])\n by lists";
const SUBMISSION: &str = "Received: from smtp.example.org ([192.0.2.25] helo=smtp) by relay with";
const CLIENT: &str = "Received: from [198.51.100.7] (helo=[198.51.100.7]) by smtp";
const UNKNOWN: &str = "Received: from elsewhere (elsewhere [203.0.113.9]) by smtp";

fn site(local: &[&str], remote: &[&str]) -> SiteValues {
    let list = |entries: &[&str]| {
        let text = |e: &&str| PyValue::Str(PyStr::Bytes(e.as_bytes().to_vec()));
        PyValue::List(entries.iter().map(text).collect())
    };
    SiteValues::new(false, |name| match name {
        LOCAL => Ok(Some(list(local))),
        REMOTE => Ok(Some(list(remote))),
        _ => Ok(None),
    })
}

fn trusted_by(site: &SiteValues, received: &[&str]) -> bool {
    let raw = format!("{}\nFrom: a@example.net\n\nx\n", received.join("\n"));
    let message = Message::parse(raw.as_bytes()).unwrap();
    let senders = Senders::only(b"a@example.net", Python::Two).unwrap();
    let post = Post::new(&message, senders, Python::Two);
    let mut budget = Budget::new(100_000);
    let mut trail = Vec::new();
    let mut context = Context {
        python: Python::Two,
        own_name: "team",
        others: &NoLists,
        budget: &mut budget,
        trail: &mut trail,
    };
    is_trusted(&post, site, &mut context).unwrap()
}

fn trusted(received: &[&str]) -> bool {
    trusted_by(&site(&["192.0.2.1"], &["192.0.2.25"]), received)
}

#[test]
fn a_submission_server_vouches_for_its_client() {
    assert!(trusted(&[RELAY, SUBMISSION, CLIENT]));
    assert!(trusted(&[RELAY, SUBMISSION]), "the server's own mail");
    assert!(trusted(&[RELAY, RELAY, SUBMISSION, CLIENT]), "several local servers");
    assert!(trusted(&[SUBMISSION, CLIENT]), "no local server between");
}

#[test]
fn an_unknown_server_before_the_submission_server_is_not_vouched_for() {
    assert!(!trusted(&[RELAY, SUBMISSION, UNKNOWN, CLIENT]));
}

#[test]
fn behind_an_unknown_relay_the_submission_servers_line_may_be_forged() {
    assert!(!trusted(&[RELAY, UNKNOWN, SUBMISSION, CLIENT]));
    assert!(!trusted(&[UNKNOWN, SUBMISSION]));
}

#[test]
fn forged_lines_below_or_above() {
    // What a client writes lies below what servers write.
    assert!(!trusted(&[RELAY, SUBMISSION, CLIENT, SUBMISSION]));
    assert!(!trusted(&[RELAY, CLIENT, SUBMISSION]));
    assert!(!trusted(&[UNKNOWN, RELAY, SUBMISSION, CLIENT]));
    assert!(!trusted(&[RELAY]));
    assert!(!trusted(&[]));
    assert!(!trusted(&[CLIENT]));
}

#[test]
fn a_line_whose_address_cannot_be_read_is_a_hop_that_matches_nothing() {
    let unreadable = "Received: from smtp.example.org (192.0.2.25) by relay";
    assert!(!trusted(&[RELAY, unreadable, CLIENT]));
    assert!(trusted(&[RELAY, SUBMISSION, unreadable]), "as the one older hop");
    assert!(!trusted(&[RELAY, SUBMISSION, CLIENT, unreadable]));
    let forged_helo = "Received: from [192.0.2.25] (unknown [203.0.113.9]) by relay";
    assert!(!trusted(&[RELAY, forged_helo]));
    let exim = "Received: from [203.0.113.9] (helo=[192.0.2.25]) by relay";
    assert!(!trusted(&[RELAY, exim]));
    let in_by = "Received: from x (203.0.113.9) by relay ([192.0.2.25])";
    assert!(!trusted(&[RELAY, in_by]));
}

#[test]
fn lines_that_do_not_begin_with_from_are_no_hops() {
    let local = "Received: by lists.example.org (Postfix, from userid 38)";
    let qmail = "Received: (qmail 1 invoked by uid 0); 1 Jan 2024 00:00:00 -0000";
    assert!(trusted(&[local, RELAY, qmail, SUBMISSION, CLIENT]));
    assert!(!trusted(&[RELAY, "Received: fromage [192.0.2.25] by x"]));
}

#[test]
fn folded_headers() {
    let folded = "Received: from smtp.example.org\n\t(smtp.example.org\n [192.0.2.25]) by relay";
    assert!(trusted(&[RELAY, folded, CLIENT]));
    assert!(trusted(&["Received:\n from r ([192.0.2.1]) by l", folded]));
}

#[test]
fn ipv6_in_any_spelling() {
    let site = site(&["2001:db8::1"], &["2001:0DB8:0:0:0:0:0:25"]);
    for relay in ["2001:db8::1", "IPv6:2001:DB8:0::1", "ipv6:2001:db8:0:0:0:0:0:1"] {
        for smtp in ["2001:db8::25", "IPv6:2001:db8:0:0::0025"] {
            let relay = format!("Received: from r ([{relay}]) by l");
            let smtp = format!("Received: from s (s [{smtp}]:2525) by r");
            assert!(trusted_by(&site, &[&relay, &smtp, CLIENT]), "{relay} {smtp}");
        }
    }
    let mapped = "Received: from r ([IPv6:::ffff:192.0.2.1]) by l";
    assert!(trusted(&[mapped, SUBMISSION]));
}

#[test]
fn networks_and_patterns() {
    let nets = site(&["192.0.2.0/28", "2001:db8::/32"], &["^192\\.0\\.2\\.2[0-9]$"]);
    assert!(trusted_by(&nets, &[RELAY, SUBMISSION, CLIENT]));
    assert!(trusted_by(&nets, &["Received: from r ([2001:db8:9::1]) by l", SUBMISSION]));
    let all = site(&[], &["0.0.0.0/0"]);
    assert!(trusted_by(&all, &[UNKNOWN, CLIENT]));
    let odd = site(&["192.0.2.1/33", "x", "^(", "192.0.2.1/-1"], &["192.0.2.25"]);
    assert!(!trusted_by(&odd, &[RELAY, SUBMISSION]));
    let v6 = site(&["^2001:db8:"], &["192.0.2.25"]);
    assert!(trusted_by(&v6, &["Received: from r ([2001:DB8::A]) by l", SUBMISSION]));
}
