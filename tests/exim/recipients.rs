//! Recipients: which are lists, and one list in a message.

use crate::config::{Site, by_daemon};
use crate::server::{Exim, start};
use crate::smtp::{Smtp, message, on_the_wire};

const SURPLUS: &str = "One mailing list per message, please; send to the others separately";
const TEAM: &str = "team@lists.example.org";
const OPEN: &str = "open@lists.example.org";
const PERSON: &str = "zoe@example.org";

/// Starts a transaction of a member, with the code of each recipient.
fn transaction(exim: &Exim, recipients: &[(&str, u16)]) -> Smtp {
    let mut smtp = exim.connect();
    smtp.mail("alice@example.org");
    add(&mut smtp, recipients);
    smtp
}

/// Adds recipients, with the code of each.
fn add(smtp: &mut Smtp, recipients: &[(&str, u16)]) {
    for (recipient, code) in recipients {
        let reply = smtp.rcpt(recipient);
        assert_eq!(reply.code, *code, "{recipient}: {reply:?}");
    }
}

/// Sends the member's message, which must be accepted, and ends.
fn send(mut smtp: Smtp) {
    assert_eq!(smtp.data(&message("alice@example.org")).code, 250);
    smtp.quit();
}

#[test]
fn one_list_in_a_message_in_both_orders() {
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = transaction(&exim, &[(TEAM, 250)]);
    let surplus = smtp.rcpt(PERSON);
    assert_eq!((surplus.code, surplus.prose().as_str()), (452, SURPLUS));
    add(&mut smtp, &[(OPEN, 452), ("team-owner2@lists.example.org", 452)]);
    send(smtp);
    let smtp = transaction(&exim, &[(PERSON, 250), (TEAM, 452), ("yan@example.org", 250)]);
    send(smtp);
    assert_eq!(exim.delivered_to(), [TEAM, "yan@example.org", PERSON]);
}

#[test]
fn the_same_list_twice_is_one_list() {
    let Some(exim) = start(&Site::new()) else { return };
    let again = "Team@Lists.Example.ORG";
    send(transaction(&exim, &[(TEAM, 250), (again, 250), (TEAM, 250), (OPEN, 452)]));
    assert!(!exim.delivered_to().is_empty());
}

#[test]
fn refused_recipients_leave_nothing_behind() {
    let Some(exim) = start(&Site::new()) else { return };
    send(transaction(
        &exim,
        &[("unknown@example.org", 550), ("later@example.org", 451), (TEAM, 250)],
    ));
    // A list whose RCPT the site refuses is no list of this message.
    send(transaction(&exim, &[("later-list@lists.example.org", 451), (PERSON, 250), (TEAM, 452)]));
    assert_eq!(exim.delivered_to(), [TEAM, PERSON]);
}

#[test]
fn rset_ehlo_and_a_new_message_start_afresh() {
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = transaction(&exim, &[(TEAM, 250)]);
    assert_eq!(smtp.command("RSET").code, 250);
    smtp.mail("mallory@example.net");
    add(&mut smtp, &[(PERSON, 250), ("yan@example.org", 250)]);
    assert_eq!(smtp.data(&message("mallory@example.net")).code, 250);
    // A list, and then a person: the stranger's second message is not for the list.
    assert_eq!(smtp.post("mallory@example.net", TEAM, &message("mallory@example.net")).code, 550);
    assert_eq!(smtp.post("mallory@example.net", PERSON, &message("mallory@example.net")).code, 250);
    smtp.mail("alice@example.org");
    add(&mut smtp, &[(TEAM, 250)]);
    assert_eq!(smtp.command("EHLO again.example.com").code, 250);
    smtp.mail("mallory@example.net");
    add(&mut smtp, &[(PERSON, 250)]);
    assert_eq!(smtp.data(&message("mallory@example.net")).code, 250);
    smtp.quit();
    assert_eq!(exim.delivered_to(), ["yan@example.org", PERSON, PERSON, PERSON]);
}

#[test]
fn a_pipelining_client_gets_the_same_answers() {
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = exim.connect();
    let dialogue = format!(
        "MAIL FROM:<alice@example.org>\r\nRCPT TO:<{TEAM}>\r\nRCPT TO:<{PERSON}>\r\n\
         RCPT TO:<{TEAM}>\r\nDATA\r\n"
    );
    smtp.send(dialogue.as_bytes());
    let codes: Vec<u16> = (0..5).map(|_| smtp.reply().code).collect();
    assert_eq!(codes, [250, 250, 452, 250, 354]);
    let mut rest = on_the_wire(&message("alice@example.org"));
    rest.extend_from_slice(
        format!("MAIL FROM:<mallory@example.net>\r\nRCPT TO:<{TEAM}>\r\nDATA\r\n").as_bytes(),
    );
    smtp.send(&rest);
    let codes: Vec<u16> = (0..4).map(|_| smtp.reply().code).collect();
    assert_eq!(codes, [250, 250, 250, 354]);
    smtp.send(&on_the_wire(&message("mallory@example.net")));
    assert_eq!(smtp.reply().code, 550);
    smtp.quit();
}

#[test]
fn a_message_in_chunks_is_checked_too() {
    let Some(exim) = start(&Site::new()) else { return };
    for (sender, code) in [("alice@example.org", 250), ("mallory@example.net", 550)] {
        let mut smtp = exim.connect();
        smtp.mail(sender);
        add(&mut smtp, &[(TEAM, 250)]);
        let text = format!("From: {sender}\r\nSubject: chunks\r\n\r\nHello\r\n");
        smtp.send(format!("BDAT {} LAST\r\n{text}", text.len()).as_bytes());
        let reply = smtp.reply();
        assert_eq!(reply.code, code, "{reply:?}");
        smtp.quit();
    }
}

#[test]
fn a_refusal_concerns_one_message_of_a_connection() {
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = exim.connect();
    for _ in 0..3 {
        assert_eq!(smtp.post("alice@example.org", TEAM, &message("alice@example.org")).code, 250);
        assert_eq!(
            smtp.post("mallory@example.net", TEAM, &message("mallory@example.net")).code,
            550
        );
        assert_eq!(
            smtp.post("mallory@example.net", OPEN, &message("mallory@example.net")).code,
            250
        );
    }
    smtp.quit();
    assert_eq!(exim.delivered_to().len(), 6);
}

#[test]
fn other_addresses_are_none_of_our_business() {
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = exim.connect();
    let stranger = "mallory@example.net";
    let unchecked = [
        "team-bounces@lists.example.org",
        "team-bounces+alice=example.org@lists.example.org",
        "team-request@lists.example.org",
        "team-confirm+0123456789abcdef@lists.example.org",
        "team-join@lists.example.org",
        "announce-owner@lists.example.org",
        "nosuchlist@lists.example.org",
        "team@example.org",
        "../lists/team@lists.example.org",
        "\"team/../team\"@lists.example.org",
        "\".\"@lists.example.org",
        "-team@lists.example.org",
    ];
    for recipient in unchecked {
        let reply = smtp.command(&format!("MAIL FROM:<{stranger}>"));
        assert_eq!(reply.code, 250);
        let reply = smtp.rcpt(recipient);
        if reply.code == 250 {
            assert_eq!(smtp.data(&message(stranger)).code, 250, "{recipient}");
        } else {
            // Exim itself does not take the form for an address.
            assert_eq!(reply.code, 501, "{recipient}: {reply:?}");
            assert_eq!(smtp.command("RSET").code, 250);
        }
    }
    // A person and suffix addresses of lists are no lists.
    smtp.mail(stranger);
    add(&mut smtp, &[(PERSON, 250), ("team-bounces@lists.example.org", 250)]);
    assert_eq!(smtp.data(&message(stranger)).code, 250);
    smtp.quit();
    assert!(!exim.log("main").contains("mm-query"), "{}", exim.log("main"));
}

#[test]
fn a_list_whose_name_ends_like_a_suffix_is_a_list() {
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = exim.connect();
    let stranger = "mallory@example.net";
    let owner = "team-owner@lists.example.org";
    assert_eq!(smtp.post(stranger, owner, &message(stranger)).code, 550);
    smtp.mail("alice@example.org");
    add(&mut smtp, &[(TEAM, 250), (owner, 452)]);
    smtp.quit();

    // Where routers strip suffixes first, the address belongs to the list `team`.
    let Some(exim) = start(&Site::new().set("MMQ_SUFFIX_FIRST", "yes")) else { return };
    let mut smtp = exim.connect();
    assert_eq!(smtp.post(stranger, owner, &message(stranger)).code, 250);
    assert_eq!(smtp.post(stranger, TEAM, &message(stranger)).code, 550);
    smtp.quit();
    // Unless there is no such list.
    std::fs::rename(exim.directory().join("lists/team"), exim.directory().join("lists/gone"))
        .unwrap();
    let mut smtp = exim.connect();
    assert_eq!(smtp.post(stranger, owner, &message(stranger)).code, 550);
    smtp.quit();
}

#[test]
fn the_sites_own_policy_comes_first() {
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = exim.connect();
    let text = b"From: alice@example.org\nX-Site: no\n\nHello\n";
    let reply = smtp.post("alice@example.org", TEAM, text);
    assert_eq!((reply.code, reply.lines[0].as_str()), (550, "5.7.0 The site itself refuses this"));
    smtp.quit();
}

by_daemon! {
    Held:
    one_list_in_a_message_in_both_orders
    the_same_list_twice_is_one_list
    refused_recipients_leave_nothing_behind
    rset_ehlo_and_a_new_message_start_afresh
    a_pipelining_client_gets_the_same_answers
    a_message_in_chunks_is_checked_too
    a_refusal_concerns_one_message_of_a_connection
    other_addresses_are_none_of_our_business
    a_list_whose_name_ends_like_a_suffix_is_a_list
    the_sites_own_policy_comes_first
}
