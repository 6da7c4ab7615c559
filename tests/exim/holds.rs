//! What a hold for the moderators looks like to the sender.

use crate::config::{Site, by_daemon};
use crate::server::start;
use crate::smtp::{message, on_the_wire};

const HELD: &str = "held@lists.example.org";
const PERSON: &str = "zoe@example.org";
const STRANGER: &str = "mallory@example.net";

fn shown(how: &str) -> Site {
    Site::new().set("MMQ_HELD", how)
}

#[test]
fn nothing_unless_the_site_wants_it() {
    for site in [Site::new(), shown("accept")] {
        let Some(exim) = start(&site) else { return };
        let mut smtp = exim.connect();
        let reply = smtp.post(STRANGER, HELD, &message(STRANGER));
        assert!(reply.code == 250 && !reply.text().contains("moderators"), "{reply:?}");
        smtp.quit();
        assert_eq!(exim.delivered_to(), [HELD]);
    }
}

#[test]
fn a_word_with_the_acceptance() {
    let Some(exim) = start(&shown("tell")) else { return };
    let mut smtp = exim.connect();
    let reply = smtp.post(STRANGER, HELD, &message(STRANGER));
    assert_eq!(reply.code, 250);
    assert!(reply.lines[0].contains("OK id="), "{reply:?}");
    let expected = "The moderators of the mailing list held will look at it first";
    assert!(reply.text().contains(expected), "{reply:?}");
    for (list, code) in [("open", 250), ("team", 550), ("dropped", 550)] {
        let to = format!("{list}@lists.example.org");
        let reply = smtp.post(STRANGER, &to, &message(STRANGER));
        assert!(reply.code == code && !reply.text().contains("moderators"), "{reply:?}");
    }
    let reply = smtp.post("alice@example.org", "team@lists.example.org", &message("a@b.example"));
    assert!(reply.code == 250 && !reply.text().contains("moderators"), "{reply:?}");
    smtp.quit();
    assert_eq!(exim.delivered_to(), [HELD, "open@lists.example.org", "team@lists.example.org"]);
}

#[test]
fn a_refusal_in_appearance() {
    let Some(exim) = start(&shown("fakereject")) else { return };
    let mut smtp = exim.connect();
    let reply = smtp.post(STRANGER, HELD, &message(STRANGER));
    assert_eq!(reply.code, 550, "{reply:?}");
    assert!(reply.prose().contains("held-owner@lists.example.org"), "{reply:?}");
    assert!(reply.lines.len() > 1 && reply.lines.iter().all(|line| line.starts_with("5.7.1 ")));
    let refused = smtp.post(STRANGER, "team@lists.example.org", &message(STRANGER));
    assert!(refused.prose().contains("This list is for the members"), "{refused:?}");
    // The next message of the connection is not concerned.
    assert_eq!(smtp.post(STRANGER, PERSON, &message(STRANGER)).code, 250);
    smtp.quit();
    assert_eq!(exim.delivered_to(), [HELD, PERSON], "Mailman gets what it is to hold");
    let log = exim.log("main");
    assert!(log.contains("mm-query: held: held, and said to be refused"), "{log}");
}

#[test]
fn among_others_it_is_only_told() {
    let site = shown("fakereject").set("MMQ_SUBMISSION", "yes").set("MMQ_PRDR", "yes");
    let site = site.set("MMQ_SUBMITTERS", "127.0.0.1").main("prdr_enable = true\n");
    let Some(exim) = start(&site) else { return };
    let mut smtp = exim.connect();
    smtp.mail(STRANGER);
    assert_eq!((smtp.rcpt(HELD).code, smtp.rcpt(PERSON).code), (250, 250));
    assert_eq!(smtp.data(&message(STRANGER)).code, 250);
    assert_eq!(smtp.command(&format!("MAIL FROM:<{STRANGER}> PRDR")).code, 250);
    assert_eq!((smtp.rcpt(HELD).code, smtp.rcpt(PERSON).code), (250, 250));
    assert_eq!(smtp.command("DATA").code, 354);
    smtp.send(&on_the_wire(&message(STRANGER)));
    let codes: Vec<u16> = (0..4).map(|_| smtp.reply().code).collect();
    assert_eq!(codes, [353, 250, 250, 250]);
    smtp.quit();
    assert_eq!(exim.delivered_to(), [HELD, HELD, PERSON, PERSON]);
}

#[test]
fn told_for_each_list_of_several() {
    let site = shown("tell").set("MMQ_SUBMISSION", "yes").set("MMQ_SUBMITTERS", "127.0.0.1");
    let Some(exim) = start(&site.set("MMQ_PRDR", "yes").main("prdr_enable = true\n")) else {
        return;
    };
    let mut smtp = exim.connect();
    smtp.mail(STRANGER);
    assert_eq!((smtp.rcpt(HELD).code, smtp.rcpt(PERSON).code), (250, 250));
    let reply = smtp.data(&message(STRANGER));
    assert!(reply.code == 250 && reply.text().contains("mailing list held will"), "{reply:?}");
    assert_eq!(smtp.command(&format!("MAIL FROM:<{STRANGER}> PRDR")).code, 250);
    assert_eq!((smtp.rcpt(PERSON).code, smtp.rcpt(HELD).code), (250, 250));
    assert_eq!(smtp.command("DATA").code, 354);
    smtp.send(&on_the_wire(&message(STRANGER)));
    let replies: Vec<_> = (0..4).map(|_| smtp.reply()).collect();
    assert!(replies[2].text().contains("mailing list held will"), "{replies:?}");
    assert!(!replies[1].text().contains("moderators"), "{replies:?}");
    smtp.quit();
}

/// Until Exim 4.94 the text of a refusal in appearance is expanded once more.
#[test]
fn a_text_means_nothing_to_exim() {
    let script = "case \"$*\" in *--held=refuse*) \
                  printf '%s' 'held ${run{/bin/false}} $primary_hostname \\n x'; exit 1;; esac";
    let Some(exim) = start(&Site::with_script(script).set("MMQ_HELD", "fakereject")) else {
        return;
    };
    let mut smtp = exim.connect();
    let reply = smtp.post(STRANGER, HELD, &message(STRANGER));
    assert_eq!(reply.code, 550, "{reply:?}");
    assert!(reply.prose().contains("held ?{run{/bin/false}} ?primary_hostname ?n x"), "{reply:?}");
    smtp.quit();
}

/// Refused, and then no answer to the second question: nothing is certain.
#[test]
fn an_error_at_the_second_question_is_no_refusal() {
    let script = "case \"$*\" in *--held=refuse*) echo no; exit 1;; esac; echo broken; exit 70";
    for (policy, code) in [("accept", 250), ("defer", 451)] {
        let site = Site::with_script(script).set("MMQ_HELD", "tell");
        let Some(exim) = start(&site.set("MMQ_NO_ANSWER", policy)) else { return };
        let mut smtp = exim.connect();
        assert_eq!(smtp.post(STRANGER, HELD, &message(STRANGER)).code, code);
        smtp.quit();
        assert!(exim.log("main").contains("(status 70): broken"), "{}", exim.log("main"));
    }
}

by_daemon! {
    Held:
    nothing_unless_the_site_wants_it
    a_word_with_the_acceptance
    a_refusal_in_appearance
    among_others_it_is_only_told
    told_for_each_list_of_several
}
