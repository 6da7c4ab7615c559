//! Headers reach the program as they are, whatever is in them.

use std::fs;

use crate::config::Site;
use crate::recorder::{Recorder, is_unsure, value};
use crate::server::start;
use crate::smtp::message;

#[test]
fn the_words_are_always_the_same_ones() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    let text = b"From: a@example.org\nReply-To: b@example.org\nSender: c@example.org\n\nHello\n";
    let words = recorder.words("d@example.org", text);
    assert_eq!(&words[..3], ["test-sender", "team", "--base64"]);
    assert_eq!(words.len(), 7);
    assert_eq!(value(&words, "envelope-from"), b"d@example.org");
    assert_eq!(value(&words, "from"), b" a@example.org");
    assert_eq!(value(&words, "reply-to"), b" b@example.org");
    assert_eq!(value(&words, "sender"), b" c@example.org");
    // An empty value is still a word.
    let words = recorder.words("", b"Subject: nobody\n\nHello\n");
    let empty = ["--envelope-from=", "--from=", "--reply-to=", "--sender="];
    assert_eq!(&words[3..], empty);
    let words = recorder.words("", b"Subject: approved\nApproved: x\n\nHello\n");
    assert_eq!(&words[3..], [&empty[..], &["--approved"]].concat());
    assert!(!recorder.log().contains("unchecked"), "{}", recorder.log());
}

#[test]
fn a_sites_options_come_last() {
    let site = Site::new().set("MMQ_OPTIONS", "--held=refuse   --utf8");
    let Some(recorder) = Recorder::start(site) else { return };
    let words = recorder.words("d@example.org", &message("a@example.org"));
    assert_eq!(&words[7..], ["--held=refuse", "--utf8"]);
}

/// One header: its value as it is written after `From:`, and as Exim's list of headers has it.
const SINGLE: &[(&str, &[u8])] = &[
    (" a@x.org", b" a@x.org"),
    ("a@x.org", b"a@x.org"),
    (" \t a@x.org \t", b" \t a@x.org \t"),
    (" A\n  <a@x.org>\n\t(c)", b" A\n  <a@x.org>\n\t(c)"),
    ("\n a@x.org", b"\n a@x.org"),
    (" a@x.org\n \n b", b" a@x.org\n \n b"),
    (" f: a@x.org, b@x.org;", b" f:: a@x.org, b@x.org;"),
    (" :a@x.org", b" ::a@x.org"),
    (" a@x.org:", b" a@x.org::"),
    (" a::b", b" a::::b"),
    (":", b"::"),
    ("", b""),
    ("  ", b"  "),
    (" <; a@x.org", b" <; a@x.org"),
    (" =?utf-8?q?B=2C?= <a@x.org>", b" =?utf-8?q?B=2C?= <a@x.org>"),
    (" $x ${run{/bin/id}} \\n \\N", b" $x ${run{/bin/id}} \\n \\N"),
    (" 'a' \"b\" `c` $(d) {e} }f{ ;|&<>*?~", b" 'a' \"b\" `c` $(d) {e} }f{ ;|&<>*?~"),
    (" --held=permit --approved", b" --held=permit --approved"),
];

#[test]
fn a_single_header_arrives_whole() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    for (written, expected) in SINGLE {
        let words = recorder.words("", format!("From:{written}\n\nHello\n").as_bytes());
        assert_eq!(value(&words, "from"), *expected, "{written:?}");
        assert!(!is_unsure(&words), "{written:?}");
        let text = format!("Reply-To:{written}\nSender:{written}\n\nHello\n");
        let words = recorder.words("", text.as_bytes());
        assert_eq!(value(&words, "reply-to"), *expected, "{written:?}");
        assert_eq!(value(&words, "sender"), *expected, "{written:?}");
        assert!(!is_unsure(&words), "{written:?}");
    }
}

#[test]
fn bytes_beyond_ascii_arrive_as_they_are() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    let words = recorder.words("", b"From: \xc3\xa9\xff\x80 <a@x.org>\n\nHello\n");
    assert_eq!(value(&words, "from"), b" \xc3\xa9\xff\x80 <a@x.org>");
    // What Exim itself changes on receipt, for Mailman too.
    let words = recorder.words("", b"From: a\0b@x.org\n\nHello\n");
    assert_eq!(value(&words, "from"), b" a?b@x.org");
    let words = recorder.words("", b"From: a\rb@x.org\n\nHello\n");
    assert_eq!(value(&words, "from"), b" a\n b@x.org");
}

#[test]
fn several_headers_arrive_one_by_one() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    for (headers, expected) in [
        ("From: a\nFrom: b\n", " a: b"),
        ("From: a\nTo: x\nFROM:b\nfrom:  c \n", " a:b:  c "),
        ("From: a\n b\nFrom: c\n", " a\n b: c"),
        ("From: a\nFrom:\n", " a:"),
    ] {
        let words = recorder.words("", format!("{headers}\nHello\n").as_bytes());
        assert_eq!(value(&words, "from"), expected.as_bytes(), "{headers:?}");
        assert!(!is_unsure(&words), "{headers:?}");
    }
}

/// Exim's list of headers says the same for different messages: then nothing may be refused.
#[test]
fn headers_that_cannot_be_handed_over_are_not_judged() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    for headers in [
        "From:\nFrom: a\n",
        "From:\nFrom:\n",
        "From: a\nFrom:\nFrom: b\n",
        "From:a:\nFrom:b\n",
        "From:a\nFrom::b\n",
        "From: f: a, b;\nFrom: c\n",
    ] {
        for name in ["From", "Reply-To", "Sender"] {
            let text = format!("{}\nHello\n", headers.replace("From", name));
            assert!(is_unsure(&recorder.words("", text.as_bytes())), "{text:?}");
        }
    }
}

/// For Python the headers end there, so what Exim finds below does not count.
#[test]
fn headers_that_end_early_for_python_are_not_judged() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    for line in ["Subject : x", "X-\u{e9}: 1", ": x"] {
        let text = format!("To: team@x\n{line}\nFrom: a@x.org\n\nHello\n");
        assert!(is_unsure(&recorder.words("", text.as_bytes())), "{text:?}");
    }
    let text = "To: team@x\nX-!#$%&'*+: x\n\tfolded : line\nFrom: a@x.org\n\nHello\n";
    assert!(!is_unsure(&recorder.words("", text.as_bytes())));
}

#[test]
fn headers_beyond_exims_64_kib_are_not_judged() {
    let Some(recorder) = Recorder::start(Site::new()) else { return };
    let folded =
        |lines: usize| "\n xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".repeat(lines);
    let words = recorder.words("", format!("From: ({}) a@x.org\n\nHi\n", folded(1000)).as_bytes());
    assert!(value(&words, "from").len() > 50_000 && !is_unsure(&words));
    let words = recorder.words("", format!("From: ({}) a@x.org\n\nHi\n", folded(2000)).as_bytes());
    assert!(is_unsure(&words));
}

#[test]
fn nothing_in_a_header_is_ever_run() {
    let Some(exim) = start(&Site::new()) else { return };
    let trace = exim.directory().join("mail/trace");
    let touch = format!("/usr/bin/touch {}", trace.display());
    let names = [
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("${{run{{{touch}}}}}"),
        format!("\"a\" {touch} ; {touch} | {touch} & {touch}"),
        format!("\n {touch}\n\t'{touch}'"),
        "--approved --held=permit --discarded=permit --help".to_owned(),
        "} {yes}{yes}} \\N \\n \\$acl_m_mmq_list".to_owned(),
    ];
    for name in &names {
        let mut smtp = exim.connect();
        for (address, code) in [("alice@example.org", 250), ("mallory@example.net", 550)] {
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            let text = format!("From: \"{quoted}\" <{address}>\nSubject: {name}\n\n{name}\n");
            let reply = smtp.post("mallory@example.net", "team@lists.example.org", text.as_bytes());
            assert_eq!(reply.code, code, "{text}: {reply:?}");
        }
        smtp.quit();
    }
    assert!(!fs::exists(trace).unwrap());
    let mut smtp = exim.connect();
    for local in ["\"${run{/bin/id}}\"", "\"a b\"", "\"--approved\"", "$acl_m_mmq_list", "{}"] {
        let sender = format!("{local}@example.net");
        let reply = smtp.post(&sender, "team@lists.example.org", &message("mallory@example.net"));
        assert_eq!(reply.code, 550, "{sender}: {reply:?}");
    }
    smtp.quit();
}
