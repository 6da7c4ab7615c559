//! Who may post, and what the others are told.

use crate::config::{Site, by_daemon};
use crate::server::{Exim, start};
use crate::smtp::{Reply, message};

/// Posts one message over a connection of its own.
fn post(exim: &Exim, envelope: &str, list: &str, text: &[u8]) -> Reply {
    let mut smtp = exim.connect();
    let reply = smtp.post(envelope, &format!("{list}@lists.example.org"), text);
    smtp.quit();
    reply
}

/// Posts with the same address in From and envelope.
fn post_as(exim: &Exim, sender: &str, list: &str) -> Reply {
    post(exim, sender, list, &message(sender))
}

/// A refusal of ours: 550 with 5.7.1 on each line, ASCII, and a text.
fn assert_refused(reply: &Reply) {
    assert_eq!(reply.code, 550, "{reply:?}");
    for line in reply.raw.split_inclusive(|&byte| byte == b'\n') {
        assert!(line.starts_with(b"550-5.7.1 ") || line.starts_with(b"550 5.7.1 "), "{reply:?}");
        assert!(line.ends_with(b"\r\n"), "{reply:?}");
        let body = &line[..line.len() - 2];
        assert!(body.iter().all(|byte| (b' '..=b'~').contains(byte)), "{reply:?}");
    }
    assert!(!reply.prose().trim().is_empty());
}

#[test]
fn a_member_posts() {
    let Some(exim) = start(&Site::new()) else { return };
    let reply = post_as(&exim, "alice@example.org", "team");
    assert_eq!(reply.code, 250, "{reply:?}");
    let deliveries = exim.deliveries();
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].recipient, "team@lists.example.org");
    assert!(deliveries[0].text.contains("Hello, all."));
    assert!(!exim.log("main").contains("mm-query"), "{}", exim.log("main"));
    assert_eq!(exim.log("reject"), "");
}

#[test]
fn a_stranger_is_refused_with_the_lists_own_words() {
    let Some(exim) = start(&Site::new()) else { return };
    let reply = post_as(&exim, "mallory@example.net", "team");
    assert_refused(&reply);
    assert!(reply.lines.len() > 1, "{reply:?}");
    let said = reply.prose();
    assert!(said.contains("This list is for the members of the team only."), "{said}");
    assert!(said.contains("write to team-owner@lists.example.org"), "{said}");
    assert!(said.contains("https://example.org/team."), "{said}");
    assert_eq!(exim.delivered_to(), [""; 0]);
    let expected =
        "F=<mallory@example.net> rejected after DATA: mm-query: team: refused: This list";
    assert!(exim.log("main").contains(expected), "{}", exim.log("main"));
    assert!(exim.log("reject").contains(expected), "{}", exim.log("reject"));
}

#[test]
fn without_words_of_its_own_the_list_gets_ours() {
    let Some(exim) = start(&Site::new()) else { return };
    let reply = post_as(&exim, "mallory@example.net", "announce");
    assert_refused(&reply);
    assert!(reply.prose().contains("announce-owner@lists.example.org"), "{reply:?}");
}

#[test]
fn other_alphabets_are_spelt_in_ascii_unless_the_site_wants_them() {
    let Some(exim) = start(&Site::new()) else { return };
    for list in ["umlaut", "latin"] {
        let reply = post_as(&exim, "mallory@example.net", list);
        assert_refused(&reply);
        assert!(reply.prose().contains(&format!("{list}-owner@lists.example.org")), "{reply:?}");
    }
    let Some(exim) = start(&Site::new().set("MMQ_OPTIONS", "--utf8")) else { return };
    for (list, word) in [("umlaut", "Nur für Mitglieder"), ("latin", "Réservé aux membres.")] {
        let reply = post_as(&exim, "mallory@example.net", list);
        assert_eq!(reply.code, 550);
        assert!(reply.prose().contains(word), "{reply:?}");
    }
}

#[test]
fn a_notice_that_looks_like_a_status_or_has_no_end_is_only_text() {
    let Some(exim) = start(&Site::new()) else { return };
    assert_refused(&post_as(&exim, "mallory@example.net", "status"));
    let long = post_as(&exim, "mallory@example.net", "long");
    assert_refused(&long);
    assert!(long.text().len() > 500 && long.raw.len() < 8_000, "{}", long.raw.len());
}

#[test]
fn a_moderated_member_is_refused() {
    let Some(exim) = start(&Site::new()) else { return };
    let reply = post_as(&exim, "bob@example.org", "team");
    assert_refused(&reply);
    assert!(reply.prose().contains("Your posts to this list are moderated."), "{reply:?}");
}

#[test]
fn what_is_held_or_discarded_is_the_sites_choice() {
    let Some(exim) = start(&Site::new()) else { return };
    assert_eq!(post_as(&exim, "mallory@example.net", "held").code, 250);
    assert_eq!(post_as(&exim, "mallory@example.net", "open").code, 250);
    assert_refused(&post_as(&exim, "mallory@example.net", "dropped"));
    assert_eq!(exim.delivered_to(), ["held@lists.example.org", "open@lists.example.org"]);

    let other = Site::new().set("MMQ_OPTIONS", "--held=refuse --discarded=permit");
    let Some(exim) = start(&other) else { return };
    assert_refused(&post_as(&exim, "mallory@example.net", "held"));
    assert_eq!(post_as(&exim, "mallory@example.net", "open").code, 250);
    assert_eq!(post_as(&exim, "mallory@example.net", "dropped").code, 250);
}

#[test]
fn members_of_every_kind_and_lists_of_every_age() {
    let Some(exim) = start(&Site::new()) else { return };
    let permitted = [
        ("team", "Alice@Example.org"),
        ("team", "carol@example.org"),
        ("team", "dave@example.org"),
        ("bouncing", "alice@example.org"),
        ("old", "alice@example.org"),
        ("fallback", "alice@example.org"),
        ("py3", "alice@example.org"),
        ("py3bouncing", "alice@example.org"),
        ("umlaut", "alice@example.org"),
        ("latin", "alice@example.org"),
    ];
    for (list, member) in permitted {
        let reply = post_as(&exim, member, list);
        assert_eq!(reply.code, 250, "{member} to {list}: {reply:?}");
    }
    assert_eq!(exim.delivered_to().len(), permitted.len());
    for list in ["empty", "bouncing", "old", "fallback", "py3", "py3bouncing"] {
        assert_refused(&post_as(&exim, "mallory@example.net", list));
    }
    assert_eq!(exim.delivered_to().len(), permitted.len());
    assert!(!exim.log("main").contains("unchecked"), "{}", exim.log("main"));
}

#[test]
fn a_null_envelope_sender_leaves_the_headers_to_speak() {
    let Some(exim) = start(&Site::new()) else { return };
    assert_eq!(post(&exim, "", "team", &message("alice@example.org")).code, 250);
    assert_refused(&post(&exim, "", "team", &message("mallory@example.net")));
    assert_refused(&post(&exim, "", "team", b"Subject: no sender at all\n\nHello\n"));
}

#[test]
fn every_place_of_a_sender_counts() {
    let Some(exim) = start(&Site::new()) else { return };
    let stranger = "mallory@example.net";
    assert_eq!(post(&exim, "alice@example.org", "team", &message(stranger)).code, 250);
    for headers in [
        "From: mallory@example.net, alice@example.org",
        "From: mallory@example.net\nFrom: Alice <alice@example.org>",
        "From: mallory@example.net\nReply-To: alice@example.org",
        "From: mallory@example.net\nSender: alice@example.org",
        "From: friends: mallory@example.net, alice@example.org;",
        "Reply-To: alice@example.org",
    ] {
        let reply = post(&exim, stranger, "team", format!("{headers}\n\nHello\n").as_bytes());
        assert_eq!(reply.code, 250, "{headers}: {reply:?}");
    }
    for headers in [
        "From: mallory@example.net, eve@example.com",
        "From: mallory@example.net\nTo: alice@example.org\nCc: alice@example.org",
        "From: \"alice@example.org\" <mallory@example.net>",
        "From: mallory@example.net (alice@example.org)",
        "From: =?utf-8?q?alice=40example.org=2C?= <mallory@example.net>",
    ] {
        let text = format!("{headers}\n\nHello\n");
        assert_refused(&post(&exim, stranger, "team", text.as_bytes()));
    }
}

by_daemon! {
    Tcp:
    a_member_posts
    a_stranger_is_refused_with_the_lists_own_words
    without_words_of_its_own_the_list_gets_ours
    other_alphabets_are_spelt_in_ascii_unless_the_site_wants_them
    a_notice_that_looks_like_a_status_or_has_no_end_is_only_text
    a_moderated_member_is_refused
    what_is_held_or_discarded_is_the_sites_choice
    members_of_every_kind_and_lists_of_every_age
    a_null_envelope_sender_leaves_the_headers_to_speak
    every_place_of_a_sender_counts
}
