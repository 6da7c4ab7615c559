//! Lists in several domains.

use crate::config::{Site, by_daemon};
use crate::server::{Exim, start};
use crate::smtp::{Smtp, message};

const STRANGER: &str = "mallory@example.net";
const DOMAINS: &str = "lists.example.org : lists.example.com : lists.example.net";

/// The code of a stranger's message to `recipient`.
fn post(smtp: &mut Smtp, recipient: &str) -> u16 {
    smtp.post(STRANGER, recipient, &message(STRANGER)).code
}

/// Posts as a stranger to each recipient and compares the code.
fn assert_codes(exim: &Exim, expected: &[(&str, u16)]) {
    let mut smtp = exim.connect();
    for (recipient, code) in expected {
        assert_eq!(post(&mut smtp, recipient), *code, "{recipient}: {}", exim.log("main"));
    }
    smtp.quit();
}

#[test]
fn the_program_is_asked_whose_list_it_is() {
    let site = Site::new().set("MMQ_DOMAINS", DOMAINS).set("MMQ_ASK_DOMAIN", "yes");
    let Some(exim) = start(&site) else { return };
    assert_codes(
        &exim,
        &[
            ("team@lists.example.org", 550),
            ("Team@LISTS.example.org", 550),
            ("team@lists.example.com", 250),
            ("open@lists.example.org", 250),
            ("club@lists.example.com", 550),
            ("club@lists.example.net", 550),
            ("club@lists.example.org", 250),
            ("nosuch@lists.example.org", 250),
            ("team-request@lists.example.org", 250),
            ("team-owner@lists.example.org", 550),
            ("team@example.org", 250),
        ],
    );
    assert!(!exim.log("main").contains("no answer"), "{}", exim.log("main"));
    assert!(!exim.log("main").contains("unchecked"), "{}", exim.log("main"));
    // Lists of different domains are different lists.
    let mut smtp = exim.connect();
    smtp.mail(STRANGER);
    assert_eq!(smtp.rcpt("club@lists.example.com").code, 250);
    assert_eq!(smtp.rcpt("club@lists.example.com").code, 250);
    assert_eq!(smtp.rcpt("club@lists.example.net").code, 452);
    assert_eq!(smtp.rcpt("team@lists.example.com").code, 452);
    smtp.quit();
}

#[test]
fn asked_with_routers_that_strip_suffixes_first() {
    let site = Site::new().set("MMQ_ASK_DOMAIN", "yes").set("MMQ_SUFFIX_FIRST", "yes");
    let Some(exim) = start(&site) else { return };
    let expected = [("team@lists.example.org", 550), ("team-owner@lists.example.org", 250)];
    assert_codes(&exim, &expected);
}

#[test]
fn folders_named_after_list_and_domain() {
    let site = Site::new()
        .set("MMQ_DOMAINS", DOMAINS)
        .set("MMQ_FOLDER", "${acl_m_mmq_name}_${lc:$domain}");
    let Some(exim) = start(&site) else { return };
    assert_codes(
        &exim,
        &[
            ("club@lists.example.com", 550),
            ("Club@lists.example.NET", 550),
            ("club@lists.example.org", 250),
            ("team@lists.example.org", 250),
        ],
    );
    assert!(!exim.log("main").contains("unchecked"), "{}", exim.log("main"));
}

#[test]
fn without_an_answer_the_address_counts_as_a_list() {
    for (policy, code) in [("accept", 250), ("defer", 451)] {
        let site = Site::with_script("exit 70").set("MMQ_ASK_DOMAIN", "yes");
        let Some(exim) = start(&site.set("MMQ_NO_ANSWER", policy)) else { return };
        assert_codes(&exim, &[("zoe@lists.example.org", code), ("zoe@example.org", 250)]);
        let expected = "mm-query: zoe@lists.example.org: is it a list? no answer (status 70)";
        assert!(exim.log("main").contains(expected), "{}", exim.log("main"));
    }
}

#[test]
fn a_killed_program_does_not_refuse_a_recipient() {
    let Some(exim) = start(&Site::with_script("kill -9 $$").set("MMQ_ASK_DOMAIN", "yes")) else {
        return;
    };
    let mut smtp = exim.connect();
    smtp.mail(STRANGER);
    assert_eq!(smtp.rcpt("team@lists.example.org").code, 451);
    assert_eq!(smtp.rcpt("zoe@example.org").code, 250);
    smtp.quit();
}

by_daemon! {
    Tcp:
    the_program_is_asked_whose_list_it_is
    asked_with_routers_that_strip_suffixes_first
    folders_named_after_list_and_domain
}
