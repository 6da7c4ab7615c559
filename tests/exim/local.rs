//! Messages from programs on the same machine.

use crate::config::{Site, by_daemon};
use crate::server::start;
use crate::smtp::message;

const TEAM: &str = "team@lists.example.org";
const ANNOUNCE: &str = "announce@lists.example.org";
const OPEN: &str = "open@lists.example.org";
const PERSON: &str = "zoe@example.org";
const STRANGER: &str = "mallory@example.net";
const MEMBER: &str = "alice@example.org";

fn checked() -> Site {
    Site::new().set("MMQ_LOCAL", "yes")
}

#[test]
fn a_strangers_program_is_refused() {
    let Some(exim) = start(&checked()) else { return };
    let output = exim.submit(STRANGER, &[TEAM], &message(STRANGER));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for recipients in [vec![OPEN, TEAM, PERSON], vec!["\"a,b\"@example.org", OPEN], vec![PERSON]] {
        let refused = recipients.contains(&TEAM);
        let output = exim.submit(STRANGER, &recipients, &message(STRANGER));
        assert_eq!(output.status.code(), Some(i32::from(refused)), "{recipients:?}: {output:?}");
    }
    assert!(exim.submit(MEMBER, &[TEAM, OPEN], &message(MEMBER)).status.success());
    let to_others: Vec<_> = exim.delivered_to().into_iter().filter(|to| to != STRANGER).collect();
    assert_eq!(to_others, ["\"a,b\"@example.org", OPEN, OPEN, TEAM, PERSON]);
    // What the sender is told by mail.
    let bounces: Vec<_> =
        exim.deliveries().into_iter().filter(|mail| mail.recipient == STRANGER).collect();
    assert_eq!(bounces.len(), 2, "{bounces:?}");
    assert!(bounces[0].text.contains("This list is for the members"), "{bounces:?}");
    assert!(bounces[1].text.contains("Nobody got this message"), "{bounces:?}");
    assert!(bounces[1].text.contains("team: This list"), "{bounces:?}");
    let log = exim.log("main");
    assert!(log.contains("rejected by non-SMTP ACL: mm-query: team: refused"), "{log}");
    assert!(!log.contains("unchecked"), "{log}");
}

#[test]
fn without_the_macro_mailman_judges() {
    let Some(exim) = start(&Site::new()) else { return };
    assert!(exim.submit(STRANGER, &[TEAM, ANNOUNCE], &message(STRANGER)).status.success());
    assert_eq!(exim.delivered_to(), [ANNOUNCE, TEAM]);
}

#[test]
fn the_sites_own_acl_comes_first() {
    let site = checked().set("MMQ_SITE_LOCAL", "acl_check_data");
    let Some(exim) = start(&site) else { return };
    let marked = b"From: alice@example.org\nX-Site: x\n\nHello\n";
    assert_eq!(exim.submit(MEMBER, &[TEAM], marked).status.code(), Some(1));
    assert!(exim.submit(MEMBER, &[TEAM], &message(MEMBER)).status.success());
    exim.deliveries();
}

/// Exim cannot put it off.
#[test]
fn an_error_is_an_acceptance() {
    for script in ["exit 70", "kill -9 $$", "exit 1", "echo x; exit 2"] {
        let site = Site::with_script(script).set("MMQ_LOCAL", "yes").set("MMQ_NO_ANSWER", "defer");
        let Some(exim) = start(&site) else { return };
        for recipients in [vec![TEAM], vec![TEAM, OPEN]] {
            let output = exim.submit(STRANGER, &recipients, &message(STRANGER));
            assert!(output.status.success(), "{script}: {output:?}");
        }
        assert_eq!(exim.delivered_to(), [OPEN, TEAM, TEAM]);
        assert!(exim.log("main").contains("unchecked (status"), "{}", exim.log("main"));
    }
}

/// On cPanel a list's folder has its domain's name; `$domain` is not set for a local message.
#[test]
fn folders_named_after_list_and_domain() {
    let site = checked()
        .set("MMQ_DOMAINS", "lists.example.com : lists.example.net")
        .set("MMQ_FOLDER", "${acl_m_mmq_name}_$acl_m_mmq_domain");
    let Some(exim) = start(&site) else { return };
    let to = ["club@lists.example.com"];
    assert_eq!(exim.submit(STRANGER, &to, &message(STRANGER)).status.code(), Some(1));
    assert!(exim.submit(STRANGER, &["club@example.org"], &message(STRANGER)).status.success());
    exim.deliveries();
}

by_daemon! {
    Held:
    a_strangers_program_is_refused
}
