//! Messages as Python 2.7's email package reads them, and what hostile ones may cost.
//! `tools/fuzz_message.py` compares random ones with Python itself.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use mm_query::limits;
use mm_query::python::message::{
    IllegalCharacter, Message, Parameter, Part, Payload, Unreadable, headers, parameter,
};
use proptest::prelude::*;
use serde::Deserialize;

/// A line of `vectors/headers.jsonl`: bytes are code points 0 to 255.
#[derive(Deserialize)]
struct Vector {
    name: String,
    raw: String,
    unixfrom: Option<String>,
    items: Vec<(String, String)>,
    /// The body of a message without parts.
    body: Option<String>,
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[test]
fn every_vector_gives_python_2s_headers() {
    let mut count = 0;
    for line in include_str!("fixtures/vectors/headers.jsonl").lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let raw = latin1(&vector.raw);
        let block = headers::read(&raw).unwrap();
        let items: Vec<_> =
            block.headers.iter().map(|header| (text(header.name), text(header.value))).collect();
        assert_eq!(items, vector.items, "{}", vector.name);
        assert_eq!(block.unixfrom.map(text), vector.unixfrom, "{}", vector.name);
        if let Some(body) = vector.body {
            assert_eq!(text(&block.body.bytes()), body, "{}", vector.name);
        }
        count += 1;
    }
    assert_eq!(count, 89);
}

#[test]
fn headers_are_found_in_any_case_and_in_order() {
    let block = headers::read(b"From: a\nfrom: b\nTo: c\nFROM : d\n").unwrap();
    assert_eq!(block.headers.get("FROM"), Some(&b"a"[..]));
    assert_eq!(block.headers.get_all("From").collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(block.headers.get("cc"), None);
    assert_eq!(block.headers.len(), 3);
    assert_eq!(&*block.body.bytes(), b"FROM : d\n");
}

/// A part in one line: depth, type, payload (`*` if parts), then preamble and epilogue if any.
fn line(part: &Part<'_>) -> String {
    let payload = match part.payload {
        Payload::Text(payload) => format!("{:?}", text(&payload.bytes())),
        Payload::Parts => "*".to_owned(),
    };
    let preamble = part.preamble.map(|preamble| format!(" <{:?}", text(&preamble.bytes())));
    let epilogue = part.epilogue.map(|epilogue| format!(" >{:?}", text(epilogue)));
    format!(
        "{} {} {payload}{}{}",
        part.depth,
        text(part.content_type()),
        preamble.unwrap_or_default(),
        epilogue.unwrap_or_default()
    )
}

fn shape(raw: &str) -> Vec<String> {
    Message::parse(raw.as_bytes()).unwrap().parts().iter().map(line).collect()
}

fn mixed(body: &str) -> String {
    format!("Content-Type: multipart/mixed; boundary=b\n\n{body}")
}

#[test]
fn the_line_end_before_a_boundary_belongs_to_it() {
    let raw = mixed("pre\n\n--b\nA: b\n\none\n\n--b \t\r\n\r\ntwo\r\n--b--\nepilogue\n");
    assert_eq!(
        shape(&raw),
        [
            r#"0 multipart/mixed * <"pre\n" >"epilogue\n""#,
            r#"1 text/plain "one\n""#,
            r#"1 text/plain "two""#
        ]
    );
}

#[test]
fn a_multipart_may_end_without_its_last_boundary() {
    assert_eq!(
        shape(&mixed("--b\n\none\n")),
        [r#"0 multipart/mixed * >"""#, r#"1 text/plain "one""#]
    );
}

#[test]
fn boundaries_that_follow_each_other_are_one() {
    assert_eq!(
        shape(&mixed("--b\n--b--\n--b\n\none\n")),
        [r#"0 multipart/mixed * >"""#, r#"1 text/plain "one""#]
    );
}

#[test]
fn a_multipart_without_a_first_boundary_is_a_string() {
    assert_eq!(shape(&mixed("one\ntwo\n")), [r#"0 multipart/mixed "one\ntwo\n" >"""#]);
    assert_eq!(shape(&mixed("one\n--b--\nlost\n")), [r#"0 multipart/mixed "one\n" >"""#]);
    let raw = "Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n";
    assert_eq!(shape(raw), [r#"0 multipart/mixed "--b\n\none\n--b--\n""#]);
}

#[test]
fn an_outer_boundary_ends_all_within() {
    let inner =
        "--b\nContent-Type: multipart/x; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--c--\n--b--";
    assert_eq!(
        shape(&mixed(inner)),
        [
            r#"0 multipart/mixed * >"""#,
            r#"1 multipart/x *"#,
            r#"2 text/plain "one""#,
            r#"1 text/plain "two\n--c--""#
        ]
    );
}

#[test]
fn messages_are_parts_of_their_own() {
    let raw = "Content-Type: message/rfc822\n\nSubject: a\nContent-Type: Text/HTML; x\n\nbody\n";
    assert_eq!(shape(raw), ["0 message/rfc822 *", r#"1 text/html "body\n""#]);
    let digest = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\nbody\n--b\nContent-Type: x\n\ny\n--b--\n";
    assert_eq!(
        shape(digest),
        [
            r#"0 multipart/digest * >"""#,
            "1 message/rfc822 *",
            r#"2 text/plain "body""#,
            r#"1 text/plain "y""#
        ]
    );
}

#[test]
fn delivery_status_has_a_part_for_each_block() {
    let raw = "Content-Type: message/delivery-status\n\nA: b\n\nC: d\nnot a header\n\n\n";
    assert_eq!(
        shape(raw),
        [
            "0 message/delivery-status *",
            r#"1 text/plain """#,
            r#"1 text/plain "not a header\n""#,
            r#"1 text/plain """#
        ]
    );
}

#[test]
fn a_from_line_below_the_headers_begins_the_body() {
    assert_eq!(shape("A: b\nFrom x\n\nbody\n"), [r#"0 text/plain "From x\nbody\n""#]);
    let attached = "Content-Type: message/rfc822\nFrom x\n\nSubject: y\n\nbody\n";
    let message = Message::parse(attached.as_bytes()).unwrap();
    let [_, inner] = message.parts() else { panic!() };
    assert_eq!(inner.unixfrom, Some(&b"From x"[..]));
    assert_eq!(inner.headers.get("subject"), Some(&b"y"[..]));
    // The two line ends are one where they meet.
    let joined = "Content-Type: multipart/x; boundary=b\n\n--b\nA: b\nFrom x\r\r\n\n--b--\n";
    assert_eq!(shape(joined), [r#"0 multipart/x * >"""#, r#"1 text/plain "From x""#]);
}

#[test]
fn boundaries_of_rfc_2231_are_text() {
    let with = |boundary: &str, mark: &str| {
        let raw = format!("Content-Type: multipart/x; {boundary}\n\n--{mark}\n\none\n");
        Message::parse(&latin1(&raw)).map(|message| message.parts().len())
    };
    assert_eq!(with("boundary*=us-ascii''%62", "b"), Ok(2));
    assert_eq!(with("boundary*0=\"b\"; boundary*1=c", "bc"), Ok(2));
    assert_eq!(with("boundary*=utf-8''%C3%A9%E2%80%83", "\u{e9}"), Ok(2));
    assert_eq!(with("boundary*=iso-8859-1''%E9%A0", "\u{e9}"), Ok(2));
    assert_eq!(with("boundary*=us-ascii''%E9", "\u{e9}"), Ok(1));
    assert_eq!(with("boundary*=no-such''b", "b"), Ok(2));
    assert_eq!(with("boundary*=UTF-16''b", "b"), Err(Unreadable::BoundaryCharset));
    assert_eq!(with("boundary*=koi8-r''%E9", "b"), Err(Unreadable::BoundaryCharset));
    assert_eq!(with("boundary=\"\\\"b\\\"\"", "b"), Ok(2));
    assert_eq!(with("boundary=", ""), Ok(2));
}

#[test]
fn parameters_are_taken_as_python_takes_them() {
    let plain = |header: &[u8], name| match parameter(header, name) {
        Some(Parameter::Plain(value)) => Some(text(&value)),
        _ => None,
    };
    assert_eq!(plain(b"text/plain; Charset = \"a\\\"b;c\" ; x", "CHARSET").unwrap(), "a\"b;c");
    assert_eq!(plain(b"name=first; name=second", "name").unwrap(), "first");
    assert_eq!(plain(b"a; NAME", "name").unwrap(), "");
    assert_eq!(plain(b"a; name*1=b; name*0=a; name*=c", "name"), None);
    assert_eq!(plain(b"a; name*10=c; name*2=b; name*0=a", "name").unwrap(), "abc");
    assert_eq!(
        parameter(b"a; name*=\"x'en'%41%4'\"", "name"),
        Some(Parameter::Extended {
            charset: Some(b"x".to_vec()),
            language: Some(b"en".to_vec()),
            value: b"A%4'".to_vec()
        })
    );
    assert_eq!(parameter(b"a; b=c", "d"), None);
}

/// What `get_payload(decode=True)` gives; None where Python raises.
fn decoded(encoding: &str, payload: &str) -> Option<String> {
    let raw = format!("Content-Transfer-Encoding: {encoding}\n\n{payload}");
    let message = Message::parse(raw.as_bytes()).unwrap();
    match message.parts().first().unwrap().decoded() {
        Ok(decoded) => Some(text(&decoded.unwrap())),
        Err(IllegalCharacter) => None,
    }
}

#[test]
fn transfer_encodings_are_undone_as_binascii_does() {
    let is = |encoding: &str, payload: &str, expected: &str| {
        assert_eq!(decoded(encoding, payload).unwrap(), expected, "{encoding} {payload:?}");
    };
    is("Base64", "QU JD\nQ!Q==garbage", "ABCA");
    is("base64", "QQ=", "QQ=");
    is("base64", "QQ=QQ", "A\u{4}\u{10}");
    is("base64", "", "");
    is("quoted-printable", "a=41=\nb=\rlost\nc==4=4g=", "aAbc=4=4g");
    is("base64 x", "QQ==", "QQ==");
    is("uue", "x\nbegin 644 f\n#0V%T\n`\nend\n", "Cat");
    is("uuencode", "begin 644 f\n#0V%Txyz\nend", "Cat");
    is("x-uue", "begin 644 f\n#0V%T\n", "begin 644 f\n#0V%T\n");
    is("x-uuencode", "begin 8 f\nend\n", "begin 8 f\nend\n");
    assert_eq!(decoded("uue", "begin 644 f\n#0v%T\nend\n"), None);
}

#[test]
fn limits_are_errors() {
    let parse = |raw: String| Message::parse(raw.as_bytes()).map(|message| message.parts().len());
    let attached = |n| "Content-Type: message/rfc822\n\n".repeat(n);
    assert_eq!(parse(attached(limits::MESSAGE_DEPTH)), Ok(limits::MESSAGE_DEPTH + 1));
    assert_eq!(parse(attached(limits::MESSAGE_DEPTH + 1)), Err(Unreadable::Depth));
    let parts = |n| mixed(&"--b\n\n\n".repeat(n));
    assert_eq!(parse(parts(limits::MESSAGE_PARTS - 1)), Ok(limits::MESSAGE_PARTS));
    assert_eq!(parse(parts(limits::MESSAGE_PARTS)), Err(Unreadable::Parts));
    let block = |bytes: usize| "a:b\n".repeat(bytes / 4) + "\n";
    assert_eq!(parse(block(limits::MESSAGE_HEADER_BLOCK_BYTES)), Ok(1));
    assert_eq!(parse(block(limits::MESSAGE_HEADER_BLOCK_BYTES + 4)), Err(Unreadable::HeaderBlock));
    let blocks = ("--b\n".to_owned() + &block(limits::MESSAGE_HEADER_BLOCK_BYTES)).repeat(4);
    assert_eq!(parse(mixed(&blocks)), Err(Unreadable::Headers));
    let body = |bytes| "\n".repeat(bytes);
    assert_eq!(parse(body(limits::MESSAGE_BYTES)), Ok(1));
    assert_eq!(parse(body(limits::MESSAGE_BYTES + 1)), Err(Unreadable::Size));
    assert_eq!(headers::read(body(limits::MESSAGE_BYTES + 1).as_bytes()), Err(Unreadable::Size));
}

/// Each is 4 MiB long. Anything quadratic in one of them would take minutes.
#[test]
fn anything_repeated_is_read_in_one_pass() {
    let open: String = (0..limits::MESSAGE_DEPTH)
        .map(|n| format!("Content-Type: multipart/x; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    for piece in ["--\n", "--b\n", "-", "--b0\n", "--b199\n", "\n", "x\r", "--b0--\n", "--b "] {
        for head in ["", &open, "Content-Type: message/delivery-status\n\nx y\n"] {
            let raw = format!("{head}\n{}", piece.repeat((4 << 20) / piece.len()));
            match Message::parse(raw.as_bytes()) {
                Ok(message) => assert!(held(&message) <= raw.len(), "{piece:?}"),
                Err(error) => assert_eq!(error, Unreadable::Parts, "{piece:?}"),
            }
        }
    }
    for piece in [";", "\"", "a=\\\";", "boundary*0*=a;", "A*;a*;", "b*=''%41;"] {
        let value = "x/y; ".to_owned() + &piece.repeat((1 << 19) / piece.len());
        let raw = format!("Content-Type: multipart/{value}; boundary=b\n\n--b\n");
        assert!(Message::parse(raw.as_bytes()).unwrap().parts().len() <= 2, "{piece:?}");
    }
}

/// Bytes of all that the parts hold.
fn held(message: &Message<'_>) -> usize {
    let of = |part: &Part<'_>| {
        let headers: usize = part.headers.iter().map(|h| h.name.len() + h.value.len()).sum();
        let payload = match part.payload {
            Payload::Text(payload) => payload.len(),
            Payload::Parts => 0,
        };
        headers
            + payload
            + part.preamble.map_or(0, |preamble| preamble.len())
            + part.epilogue.map_or(0, <[u8]>::len)
    };
    message.parts().iter().map(of).sum()
}

/// Every question that a part answers.
fn ask(raw: &[u8]) -> Result<(), TestCaseError> {
    let Ok(message) = Message::parse(raw) else { return Ok(()) };
    prop_assert!(held(&message) <= raw.len());
    for part in message.parts() {
        let kind = part.content_type();
        prop_assert_eq!([part.maintype(), part.subtype()].join(&b'/'), kind);
        for name in ["boundary", "charset", "name"] {
            part.parameter(name, "content-type");
        }
        if let Ok(decoded) = part.decoded() {
            prop_assert_eq!(decoded.is_none(), part.is_multipart());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_a_message(raw in proptest::collection::vec(any::<u8>(), 0..400)) {
        ask(&raw)?;
        prop_assert_eq!(Message::parse(&raw).unwrap().parts().first().unwrap().depth, 0);
    }

    #[test]
    fn any_tokens_are_a_message(tokens in proptest::collection::vec(proptest::sample::select(TOKENS), 0..60)) {
        ask(tokens.concat().as_bytes())?;
    }
}

const TOKENS: &[&str] = &[
    "Content-Type: ",
    "Content-Transfer-Encoding: ",
    "multipart/mixed; boundary=b\n",
    "multipart/digest; boundary*=utf-8'x'%62\n",
    "message/rfc822\n",
    "message/delivery-status\n",
    "base64\n",
    "quoted-printable\n",
    "uue\n",
    "begin 644 x\n",
    "end\n",
    "--b\n",
    "--b--\n",
    "--",
    "b",
    "From x\n",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\t",
    "a: b\n",
    "=",
    "=41",
    "#0V%T\n",
    "QUJD",
    ";",
    "\"",
    "\\",
    "name*0*=",
    "'",
    "%",
    "\u{e9}",
    "\0",
];
