//! Several lists in one message: from a mail program of a user, and with an answer for each
//! recipient (PRDR).

use crate::config::{Site, by_daemon};
use crate::server::{Exim, start};
use crate::smtp::{Reply, Smtp, message, on_the_wire};

const TEAM: &str = "team@lists.example.org";
const ANNOUNCE: &str = "announce@lists.example.org";
const OPEN: &str = "open@lists.example.org";
const PERSON: &str = "zoe@example.org";
const STRANGER: &str = "mallory@example.net";
const MEMBER: &str = "alice@example.org";

fn submission() -> Site {
    Site::new().set("MMQ_SUBMISSION", "yes")
}

/// A client that has said who its user is.
fn user(exim: &Exim) -> Smtp {
    let mut smtp = exim.connect();
    // NUL, user, NUL, password.
    assert_eq!(smtp.command("AUTH PLAIN AHpvZQBzZWNyZXQ=").code, 235);
    smtp
}

fn send(smtp: &mut Smtp, sender: &str, recipients: &[&str]) -> Reply {
    smtp.mail(sender);
    for recipient in recipients {
        let reply = smtp.rcpt(recipient);
        assert_eq!(reply.code, 250, "{recipient}: {reply:?}");
    }
    smtp.data(&message(sender))
}

#[test]
fn a_users_message_may_go_to_several_lists() {
    let Some(exim) = start(&submission()) else { return };
    let mut smtp = user(&exim);
    assert_eq!(send(&mut smtp, MEMBER, &[TEAM, OPEN, PERSON]).code, 250);
    let refused = send(&mut smtp, STRANGER, &[TEAM, OPEN, ANNOUNCE, PERSON]);
    assert_eq!(refused.code, 550, "{refused:?}");
    let text = refused.text();
    assert!(text.starts_with("5.7.1 Nobody got this message"), "{text}");
    assert!(text.contains("team: This list is for the members"), "{text}");
    assert!(text.contains("announce: Only members may post"), "{text}");
    assert!(!text.contains("open"), "{text}");
    assert!(refused.raw.is_ascii() && refused.raw.len() < 4_000);
    // A list alone has its own words alone; a list beside a person is named.
    let alone = send(&mut smtp, STRANGER, &[TEAM]);
    assert!(alone.code == 550 && !alone.text().contains("Nobody"), "{alone:?}");
    let beside = send(&mut smtp, STRANGER, &[PERSON, TEAM]);
    assert!(beside.code == 550 && beside.text().contains("team: This list"), "{beside:?}");
    assert_eq!(send(&mut smtp, STRANGER, &[PERSON, "yan@example.org"]).code, 250);
    smtp.quit();
    let mut expected = vec![OPEN, TEAM, PERSON, PERSON, "yan@example.org"];
    expected.sort_unstable();
    assert_eq!(exim.delivered_to(), expected);
    let log = exim.log("main");
    assert!(log.contains("mm-query: team,open,announce: refused: team: This list"), "{log}");
    assert!(!log.contains("unchecked"), "{log}");
}

#[test]
fn other_clients_still_get_452() {
    let site = submission().set("MMQ_SUBMITTERS", "192.0.2.0/24");
    let Some(exim) = start(&site) else { return };
    let mut smtp = exim.connect();
    smtp.mail(MEMBER);
    assert_eq!(smtp.rcpt(TEAM).code, 250);
    assert_eq!(smtp.rcpt(PERSON).code, 452);
    smtp.quit();
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = user(&exim);
    smtp.mail(MEMBER);
    assert_eq!(smtp.rcpt(TEAM).code, 250);
    assert_eq!(smtp.rcpt(PERSON).code, 452, "without the macro a user is like all others");
    smtp.quit();
}

#[test]
fn trusted_hosts_submit_too() {
    let site = submission().set("MMQ_SUBMITTERS", "127.0.0.0/8");
    let Some(exim) = start(&site) else { return };
    let mut smtp = exim.connect();
    assert_eq!(send(&mut smtp, STRANGER, &[OPEN, TEAM, PERSON]).code, 550);
    assert_eq!(send(&mut smtp, MEMBER, &[OPEN, TEAM, PERSON]).code, 250);
    smtp.quit();
}

#[test]
fn twenty_lists_are_enough() {
    let Some(exim) = start(&submission()) else { return };
    let lists = exim.directory().join("lists");
    for number in 0..21 {
        crate::server::copy_list(&lists.join("open"), &lists.join(format!("open{number}")));
    }
    let mut smtp = user(&exim);
    smtp.mail(STRANGER);
    for number in 0..21 {
        let code = if number < 20 { 250 } else { 452 };
        let reply = smtp.rcpt(&format!("open{number}@lists.example.org"));
        assert_eq!(reply.code, code, "{number}: {reply:?}");
    }
    assert_eq!(smtp.rcpt("open7@lists.example.org").code, 250);
    assert_eq!(smtp.rcpt(PERSON).code, 250);
    assert_eq!(smtp.data(&message(STRANGER)).code, 250);
    smtp.quit();
}

#[test]
fn a_list_without_an_answer_refuses_nobody() {
    for (policy, code) in [("accept", 250), ("defer", 451)] {
        let Some(exim) = start(&submission().set("MMQ_NO_ANSWER", policy)) else { return };
        let corrupt = "corrupt@lists.example.org";
        let mut smtp = user(&exim);
        assert_eq!(send(&mut smtp, STRANGER, &[OPEN, corrupt, PERSON]).code, code);
        // What is certain counts.
        assert_eq!(send(&mut smtp, STRANGER, &[corrupt, TEAM]).code, 550);
        smtp.quit();
        assert!(exim.log("main").contains("mm-query: corrupt: unchecked (status 65)"));
    }
}

fn prdr() -> Site {
    Site::new().set("MMQ_PRDR", "yes").main("prdr_enable = true\n")
}

/// Sends a message of a client that wants an answer for each recipient, and returns those and the
/// last one.
fn send_prdr(smtp: &mut Smtp, sender: &str, recipients: &[&str]) -> (Vec<Reply>, Reply) {
    let reply = smtp.command(&format!("MAIL FROM:<{sender}> PRDR"));
    assert!(reply.code == 250 && reply.text().contains("PRDR"), "{reply:?}");
    for recipient in recipients {
        let reply = smtp.rcpt(recipient);
        assert_eq!(reply.code, 250, "{recipient}: {reply:?}");
    }
    assert_eq!(smtp.command("DATA").code, 354);
    smtp.send(&on_the_wire(&message(sender)));
    if recipients.len() == 1 {
        return (Vec::new(), smtp.reply());
    }
    assert_eq!(smtp.reply().code, 353);
    (recipients.iter().map(|_| smtp.reply()).collect(), smtp.reply())
}

fn codes(replies: &[Reply]) -> Vec<u16> {
    replies.iter().map(|reply| reply.code).collect()
}

#[test]
fn each_recipient_has_an_answer() {
    let Some(exim) = start(&prdr()) else { return };
    let mut smtp = exim.connect();
    let (each, last) = send_prdr(&mut smtp, STRANGER, &[TEAM, PERSON, OPEN, ANNOUNCE]);
    assert_eq!(codes(&each), [550, 250, 250, 550]);
    assert!(each[0].prose().contains("This list is for the members"), "{each:?}");
    assert_eq!(last.code, 250, "{last:?}");
    let (each, last) = send_prdr(&mut smtp, MEMBER, &[TEAM, "yan@example.org"]);
    assert_eq!((codes(&each), last.code), (vec![250, 250], 250));
    // Nobody is left: the last one hears of it in the answer to all.
    let (each, last) = send_prdr(&mut smtp, STRANGER, &[TEAM, ANNOUNCE]);
    assert_eq!((codes(&each), last.code), (vec![550, 250], 550));
    assert!(last.prose().contains("Only members may post"), "{last:?}");
    // One recipient: Exim asks at DATA.
    let (_, last) = send_prdr(&mut smtp, STRANGER, &[TEAM]);
    assert_eq!(last.code, 550, "{last:?}");
    assert!(last.prose().contains("This list is for the members"), "{last:?}");
    // A client that does not offer it is told to split.
    smtp.mail(STRANGER);
    assert_eq!(smtp.rcpt(TEAM).code, 250);
    assert_eq!(smtp.rcpt(PERSON).code, 452);
    smtp.quit();
    assert_eq!(exim.delivered_to(), [OPEN, TEAM, "yan@example.org", PERSON]);
}

#[test]
fn the_sites_own_prdr_acl_comes_first() {
    let site = prdr().set("MMQ_SITE_PRDR", "acl_check_prdr");
    let Some(exim) = start(&site) else { return };
    let mut smtp = exim.connect();
    let (each, _) = send_prdr(&mut smtp, MEMBER, &[TEAM, "site-refuses@example.org", PERSON]);
    assert_eq!(codes(&each), [250, 550, 250]);
    smtp.quit();
}

#[test]
fn an_error_refuses_no_recipient() {
    for script in ["exit 70", "kill -9 $$", "kill -SEGV $$", "exec /nonexistent", "exit 1"] {
        for (policy, code) in [("accept", 250), ("defer", 450)] {
            let site = Site::with_script(script).set("MMQ_PRDR", "yes");
            let site = site.set("MMQ_NO_ANSWER", policy).main("prdr_enable = true\n");
            let Some(exim) = start(&site) else { return };
            let mut smtp = exim.connect();
            let (each, last) = send_prdr(&mut smtp, STRANGER, &[TEAM, PERSON]);
            let got: Vec<u16> = codes(&each);
            assert!(got[0] == code || got[0] == 451 && code == 450, "{script}: {each:?}");
            assert_eq!((got[1], last.code), (250, 250), "{script}: {each:?}");
            // At DATA, too, since the shell catches the signal.
            let (_, last) = send_prdr(&mut smtp, STRANGER, &[TEAM]);
            assert_eq!(last.code, if code == 250 { 250 } else { 451 }, "{script}: {last:?}");
            smtp.quit();
        }
    }
}

by_daemon! {
    Tcp:
    a_users_message_may_go_to_several_lists
    trusted_hosts_submit_too
    twenty_lists_are_enough
    a_list_without_an_answer_refuses_nobody
    each_recipient_has_an_answer
}
