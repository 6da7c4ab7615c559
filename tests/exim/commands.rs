//! Mail to the addresses of a list's commands (MMQ_COMMANDS).

use crate::config::{Site, by_daemon};
use crate::server::{Exim, start};
use crate::smtp::Reply;

const BANNED: &str = "mallory@example.net";
const DISCARDS: &str = "Nobody would read this: the mailing list's program discards";

fn checked() -> Site {
    Site::new().set("MMQ_COMMANDS", "yes")
}

/// Mails `headers` to a local part of the lists' domain.
fn mail(exim: &Exim, local_part: &str, headers: &str) -> Reply {
    let text =
        format!("{headers}To: {local_part}@lists.example.org\r\nSubject: x\r\n\r\nhello\r\n");
    let mut smtp = exim.connect();
    let to = format!("{local_part}@lists.example.org");
    let reply = smtp.post("bounce@example.com", &to, text.as_bytes());
    smtp.quit();
    reply
}

/// Its subject is a command.
fn from(address: &str) -> String {
    format!("From: {address}\r\nSubject: help\r\n")
}

#[test]
fn who_is_banned_cannot_ask_to_join() {
    let Some(exim) = start(&checked()) else { return };
    for command in ["join", "subscribe", "request"] {
        let to = format!("guarded-{command}");
        for sender in [BANNED, "MALLORY@example.net", "Eve <eve@spam.example>", " <x@spam.example>"]
        {
            let reply = mail(&exim, &to, &from(sender));
            assert_eq!(reply.code, 550, "{to}, {sender}: {reply:?}");
            assert!(reply.prose().contains("banned"), "{reply:?}");
        }
        let alice = mail(&exim, &to, &from("alice@example.org"));
        assert_eq!(alice.code, 250, "a member hears from Mailman: {alice:?}");
        assert_eq!(mail(&exim, &to, &from("zoe@example.org")).code, 250, "nobody bans zoe");
    }
    for to in
        ["guarded-leave", "guarded-unsubscribe", "guarded-owner", "guarded-bounces", "team-join"]
    {
        assert_eq!(mail(&exim, to, &from(BANNED)).code, 250, "{to}");
    }
    let log = exim.log("main");
    assert!(log.contains("mm-query: guarded:join: refused: This address is banned"), "{log}");
    assert!(!log.contains("unchecked"), "{log}");
}

#[test]
fn whoever_is_not_named_plainly_is_left_to_mailman() {
    let Some(exim) = start(&checked()) else { return };
    for sender in [
        "mallory@example.net, zoe@example.org",
        "\"a\\\"b\" <mallory@example.net>",
        "-x@spam.example",
        "<mallory@example.net> (why)",
        "$run{x}@spam.example",
        "mallory\r\n @example.net",
        "a\"b@spam.example",
    ] {
        assert_eq!(mail(&exim, "guarded-join", &from(sender)).code, 250, "{sender}");
    }
    let twice = format!("{}{}", from(BANNED), from("zoe@example.org"));
    assert_eq!(mail(&exim, "guarded-join", &twice).code, 250);
    // For Mailman the headers end before this From.
    let odd = format!("X : y\r\n{}", from(BANNED));
    assert_eq!(mail(&exim, "guarded-join", &odd).code, 250);
    assert_eq!(mail(&exim, "guarded-join", "").code, 250);
}

#[test]
fn what_mailman_would_discard_is_refused() {
    let Some(exim) = start(&checked()) else { return };
    let zoe = from("zoe@example.org");
    for precedence in ["bulk", "Junk", "list"] {
        for command in ["join", "leave", "request", "unsubscribe", "confirm+0123"] {
            let to = format!("guarded-{command}");
            let reply = mail(&exim, &to, &format!("{zoe}Precedence: {precedence}\r\n"));
            assert_eq!(reply.code, 550, "{to}: {reply:?}");
            assert!(reply.prose().starts_with(DISCARDS), "{reply:?}");
        }
    }
    let acked = format!("{zoe}Precedence: bulk\r\nX-Ack: yes\r\n");
    assert_eq!(mail(&exim, "guarded-join", &acked).code, 250);
    for precedence in ["first-class", "bulk ", "bulk\r\nPrecedence: x"] {
        let headers = format!("{zoe}Precedence: {precedence}\r\n");
        assert_eq!(mail(&exim, "guarded-join", &headers).code, 250, "{precedence}");
    }
    assert_eq!(mail(&exim, "guarded-confirm", &zoe).code, 550);
    assert_eq!(mail(&exim, "guarded-confirm+0123456789", &zoe).code, 250);
}

/// A request whose headers and text are these.
fn request(exim: &Exim, headers: &str, body: &str) -> Reply {
    let to = "guarded-request@lists.example.org";
    let text = format!("From: zoe@example.org\nTo: {to}\n{headers}\n{body}");
    let mut smtp = exim.connect();
    let reply = smtp.post("zoe@example.org", to, text.as_bytes());
    smtp.quit();
    reply
}

#[test]
fn a_request_without_a_command_is_refused() {
    let Some(exim) = start(&checked()) else { return };
    for (headers, body) in [
        ("Subject: cheap watches\n", "Dear friend,\nhelp yourself\n"),
        ("", "\n\n   buy!\nsubscribe\n"),
        ("Subject:\n", "\n \n"),
        ("Content-Type: text/plain; charset=\"utf-8\"\n", "Hello\n"),
        ("Subject: helpful news\nContent-Transfer-Encoding: 8bit\n", "helpme\n"),
    ] {
        let reply = request(&exim, headers, body);
        assert_eq!(reply.code, 550, "{headers:?} {body:?}: {reply:?}");
        assert!(reply.prose().starts_with(DISCARDS), "{reply:?}");
        assert!(reply.prose().contains("without a command"), "{reply:?}");
    }
    for (headers, body) in [
        ("Subject: help\n", "Dear friend,\n"),
        ("Subject: Re: who\n", "Dear friend,\n"),
        ("Subject: AW:subscribe me\n", "Dear friend,\n"),
        ("Subject: =?utf-8?q?help?=\n", "Dear friend,\n"),
        ("Subject: h\u{e9}lp\n", "Dear friend,\n"),
        ("Subject: x\n", "\n\n  SubScribe\nmore\n"),
        ("Subject: x\n", "who\n"),
        // Python imports a module whose name ends with a dot, too.
        ("", "end.\n"),
        ("Content-Type: text/plain; charset=utf-16\n", "Hello\n"),
        ("Content-Type: text/html\n", "<p>Hello\n"),
        ("Content-Type: multipart/mixed; boundary=x\n", "--x\n\nhelp\n--x--\n"),
        ("Content-Transfer-Encoding: base64\n", "aGVscAo=\n"),
        ("Content-Transfer-Encoding: quoted-printable\n", "=68elp\n"),
        ("", "\u{a0}help\n"),
    ] {
        let reply = request(&exim, headers, body);
        assert_eq!(reply.code, 250, "{headers:?} {body:?}: {reply:?}");
    }
    assert!(!exim.log("main").contains("unchecked"), "{}", exim.log("main"));
}

/// Where Mailman would answer such mail, it is taken.
#[test]
fn what_mailman_answers_is_taken() {
    let said = "{\"outcome\":\"confirm\",\"unheard\":false}";
    let script = format!("echo '{said}'");
    let Some(exim) = start(&Site::with_script(&script).set("MMQ_COMMANDS", "yes")) else { return };
    assert_eq!(request(&exim, "Subject: x\n", "Hello\n").code, 250);
    assert_eq!(mail(&exim, "guarded-confirm", &from("zoe@example.org")).code, 250);
}

#[test]
fn an_error_is_no_refusal() {
    for (script, code) in [("exit 1", 250), ("echo banned; exit 1", 250), ("exit 67", 250)] {
        let site = Site::with_script(script).set("MMQ_COMMANDS", "yes");
        let Some(exim) = start(&site) else { return };
        assert_eq!(mail(&exim, "guarded-join", &from(BANNED)).code, code, "{script}");
        assert!(exim.log("main").contains("accepted unchecked"), "{}", exim.log("main"));
        let deferring = site.set("MMQ_NO_ANSWER", "defer");
        let Some(exim) = start(&deferring) else { return };
        assert_eq!(mail(&exim, "guarded-join", &from(BANNED)).code, 451, "{script}");
    }
}

#[test]
fn a_command_address_is_alone_in_its_message() {
    let Some(exim) = start(&checked()) else { return };
    let mut smtp = exim.connect();
    smtp.mail("alice@example.org");
    assert_eq!(smtp.rcpt("guarded-join@lists.example.org").code, 250);
    assert_eq!(smtp.rcpt("guarded@lists.example.org").code, 452);
    assert_eq!(smtp.rcpt("guarded-leave@lists.example.org").code, 452);
    assert_eq!(smtp.rcpt("guarded-join@lists.example.org").code, 250);
    smtp.quit();
}

#[test]
fn without_the_macro_nothing_is_asked() {
    let Some(exim) = start(&Site::new()) else { return };
    let headers = format!("{}Precedence: bulk\r\n", from(BANNED));
    assert_eq!(mail(&exim, "guarded-join", &headers).code, 250);
    assert_eq!(mail(&exim, "guarded-confirm", &headers).code, 250);
}

by_daemon! {
    Held:
    who_is_banned_cannot_ask_to_join
    whoever_is_not_named_plainly_is_left_to_mailman
    what_mailman_would_discard_is_refused
    a_request_without_a_command_is_refused
    a_command_address_is_alone_in_its_message
}
