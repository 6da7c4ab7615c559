//! A message that Mailman may find approved is Mailman's to judge.

use crate::config::Site;
use crate::recorder::{Recorder, is_unsure, to_base64};
use crate::server::start;
use crate::smtp::message;

/// A message of a stranger with these further headers and this body.
fn mail(headers: &str, body: &str) -> Vec<u8> {
    format!("From: mallory@example.net\n{headers}\n{body}\n").into_bytes()
}

/// A multipart message whose first part is `part` (headers and body).
fn multipart(part: &str) -> Vec<u8> {
    mail(
        "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"=_b\"\n",
        &format!(
            "This is a MIME message.\n\n--=_b\n{part}\n\n--=_b\nContent-Type: text/html\n\n<p>Hi\n--=_b--"
        ),
    )
}

const NAMES: [&str; 8] = [
    "Approved",
    "approve",
    "X-Approved",
    "x-approve",
    "APPROVED",
    "aPpRoVe",
    "X-APPROVE",
    "x-aPPROVEd",
];

#[test]
fn approval_headers_are_seen() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    for name in NAMES {
        assert!(is_unsure(&recorder.words("", &mail(&format!("{name}: x\n"), "Hello"))), "{name}");
        assert!(is_unsure(&recorder.words("", &mail(&format!("{name}:\n"), "Hello"))), "{name}");
    }
    for other in ["Approved-By", "X-Approval", "Disapproved", "X-X-Approved"] {
        assert!(
            !is_unsure(&recorder.words("", &mail(&format!("{other}: x\n"), "Hello"))),
            "{other}"
        );
    }
}

#[test]
fn approval_lines_are_seen_in_every_encoding() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    for name in NAMES {
        for before in ["", "\n", "\n \n\n"] {
            let line = format!("{before}{name}: secret\n\nDear all,\n");
            let coded = to_base64(line.as_bytes());
            let spelt: String = name.bytes().map(|byte| format!("={byte:02X}")).collect();
            let quoted = format!("{before}{spelt}=3A secret\n\nDear all,\n");
            let base64 = "Content-Transfer-Encoding: base64\n";
            let printable = "Content-Transfer-Encoding: quoted-printable\n";
            for text in [
                mail("", &line),
                mail(base64, &coded),
                mail(printable, &quoted),
                mail(printable, &quoted.to_lowercase().replace("=70", "p=\n=\n")),
                multipart(&format!("\n{line}")),
                multipart(&format!("Content-Type: text/plain\n{base64}\n{coded}")),
                multipart(&format!("Content-Type: text/plain\n{printable}\n{quoted}")),
                multipart(&format!("Content-Type: message/rfc822\n\nSubject: x\n\n{line}")),
            ] {
                let shown = String::from_utf8_lossy(&text).into_owned();
                assert!(is_unsure(&recorder.words("", &text)), "{shown}");
            }
        }
    }
}

#[test]
fn base64_with_odd_line_lengths_is_seen() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    for width in [1, 4, 5, 10] {
        let coded = to_base64(b"\n\nApproved: secret\nHello\n");
        let broken: Vec<&str> =
            coded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let text = mail("Content-Transfer-Encoding: base64\n", &broken.join("\n"));
        assert!(is_unsure(&recorder.words("", &text)), "{width}");
    }
}

#[test]
fn ordinary_messages_are_judged() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    let long =
        "A line of an ordinary message, of which there are many in this text.\n".repeat(2_000);
    let html = format!("Content-Type: text/html\n\n{long}");
    let base64 = "Content-Transfer-Encoding: base64\n";
    for text in [
        mail("", "Hello"),
        mail("", ""),
        mail("", &long),
        mail("", "I do not approve of this.\nWe approved it yesterday.\n"),
        mail(base64, &to_base64(long.as_bytes())),
        mail("Content-Transfer-Encoding: quoted-printable\n", &long.replace("of", "=6Ff")),
        multipart(&format!("Content-Type: text/plain; charset=utf-8\n\n{long}")),
        multipart(&format!("Content-Type: text/plain\n{base64}\n{}", to_base64(long.as_bytes()))),
        multipart("Content-Type: text/plain\n\nShort.\n"),
        multipart("Content-Type: text/html\n\nShort.\n"),
        mail("Content-Type: text/html\n", &html),
    ] {
        let shown: String = String::from_utf8_lossy(&text).chars().take(500).collect();
        assert!(!is_unsure(&recorder.words("", &text)), "{shown}");
    }
}

#[test]
fn what_cannot_be_seen_is_not_judged() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    let long =
        "A line of an ordinary message, of which there are many in this text.\n".repeat(2_000);
    let approved = "Content-Type: text/plain\n\nApproved: secret\n";
    for text in [
        // The text begins beyond what is visible, or may do so.
        mail("", &format!("{}Approved: secret\n", " \n".repeat(20_000))),
        multipart(&format!("Content-Type: text/html\n\n{long}\n--=_b\n{approved}")),
        multipart(&format!("Content-Type: image/png\n\n{long}\n--=_b\n{approved}")),
        mail(
            "Content-Type: multipart/mixed; boundary=\"=_b\"\n",
            &format!("{long}--=_b\n{approved}"),
        ),
        mail("Content-Transfer-Encoding: x-uuencode\n", "begin 644 x\nM0"),
        multipart(
            "Content-Type: text/plain\nContent-Transfer-Encoding: uuencode\n\nbegin 644 x\nM0",
        ),
    ] {
        let shown: String = String::from_utf8_lossy(&text).chars().take(300).collect();
        assert!(is_unsure(&recorder.words("", &text)), "{shown}");
    }
}

#[test]
fn with_a_smaller_view_the_answer_is_still_safe() {
    let site = Site::new().set("MMQ_KEEP_BODY_VISIBLE", "yes").main("message_body_visible = 0");
    let Some(recorder) = Recorder::start(site) else { return };
    assert!(is_unsure(&recorder.words("", &mail("", "Approved: secret"))));
    let Some(recorder) = Recorder::start(Site::new().set("MMQ_KEEP_BODY_VISIBLE", "yes")) else {
        return;
    };
    assert!(is_unsure(&recorder.words("", &mail("", "Approved: secret"))));
    assert!(!is_unsure(&recorder.words("", &mail("", &"Hello\n".repeat(1_000)))));
    assert!(is_unsure(&recorder.words("", &multipart(&"Hello\n".repeat(1_000)))));
}

#[test]
fn line_ends_kept_in_the_visible_body_change_nothing() {
    let Some(recorder) = Recorder::start(Site::new().main("message_body_newlines = true")) else {
        return;
    };
    let coded = to_base64(b"\nApproved: secret\nHello\n");
    let text = mail("Content-Transfer-Encoding: base64\n", &coded.replace('B', "B\n"));
    assert!(is_unsure(&recorder.words("", &text)));
    let quoted = "Content-Transfer-Encoding: Quoted-Printable\n";
    assert!(is_unsure(&recorder.words("", &mail(quoted, "=\n\n=41p=\nproved: x"))));
    assert!(!is_unsure(&recorder.words("", &mail("", "Hello"))));
    // What says that it is not coded is not decoded.
    assert!(!is_unsure(&recorder.words("", &mail("", "=\n\n=41p=\nproved: x"))));
}

#[test]
fn a_stranger_with_an_approval_is_left_to_mailman() {
    let Some(exim) = start(&Site::new()) else { return };
    let (stranger, team) = ("mallory@example.net", "team@lists.example.org");
    let mut smtp = exim.connect();
    for text in [
        mail("Approved: secret\n", "Hello"),
        mail("", "\nX-Approve: secret\nHello"),
        multipart("Content-Type: text/plain\n\napproved: secret\nHello"),
        mail("Content-Transfer-Encoding: base64\n", &to_base64(b"Approved: secret\nHello")),
    ] {
        assert_eq!(smtp.post(stranger, team, &text).code, 250);
    }
    assert_eq!(smtp.post(stranger, team, &message(stranger)).code, 550);
    smtp.quit();
    assert_eq!(exim.delivered_to(), [team; 4]);
}
