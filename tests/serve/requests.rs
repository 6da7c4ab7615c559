//! Requests as they are read.

use crate::support::{answer, fixtures, service};
use mm_query::serve::request::{Request, end, parse};
use proptest::prelude::*;

fn error(lines: &str) -> String {
    parse(lines.as_bytes()).unwrap_err()
}

#[test]
fn what_is_wrong_is_said() {
    let sender = |lines: &str| error(&format!("mm-query: 1\nquery: test-sender\n{lines}"));
    assert_eq!(error(""), "an empty request");
    assert_eq!(error("GET / HTTP/1.1\n"), "a line without a colon");
    assert_eq!(error("query: ping\n"), "the first line is not 'mm-query: 1'");
    assert_eq!(error("mm-query: 2\nquery: ping\n"), "this server speaks version 1 only");
    assert_eq!(error("mm-query: 1\nlist: x\n"), "the second line is not 'query: NAME'");
    assert_eq!(error("mm-query: 1\nquery: frob\n"), "no such query: frob");
    assert_eq!(error("mm-query: 1\nquery: ping\nlist: x\n"), "this query has no key list");
    assert_eq!(sender("list: team\n"), "no sender given");
    assert_eq!(sender("from: a@b\n"), "list is missing");
    assert_eq!(sender("list: team\nlist: team\nfrom: a@b\n"), "list is given more than once");
    assert_eq!(
        sender("list: team\nlist-base64: dGVhbQ==\nfrom: x\n"),
        "list is given more than once"
    );
    assert_eq!(sender("list: team\nfrom: x\nheld: maybe\n"), "held: no such value: maybe");
    assert_eq!(sender("list: team\nFrom: x\n"), "no key: From");
    assert!(sender("list: team\nfrom-base64: ?\n").starts_with("from-base64: not base64"));
    assert!(sender("list: team\nfrom-base64: YQ==\nsender: x\n").contains("both"));
    assert!(sender("list: team\nfrom: x\naddress: y\n").contains("address does not go"));
    assert!(sender("list: team\nfrom: x\njson: yes\nexplain: yes\n").contains("json"));
}

#[test]
fn line_ends_and_forms_of_values_do_not_matter() {
    let plain =
        parse(b"mm-query: 1\nquery: test-sender\nlist: team\nfrom: A <a@b>\nheld: refuse\n")
            .unwrap();
    for other in [
        "mm-query: 1\r\nquery: test-sender\r\nlist: team\r\nfrom: A <a@b>\r\nheld: refuse\r\n\r\n",
        "mm-query:1\nquery:test-sender\nheld:refuse\nheader-from-base64: QSA8YUBiPg==\nlist-base64:dGVhbQ==",
        "mm-query: 1\nquery: test-sender\nfrom: A <a@b>\nlist: team\nheld: refuse\n\nwhatever: follows",
    ] {
        assert_eq!(parse(other.as_bytes()).unwrap(), plain, "{other}");
    }
    assert_eq!(parse(b"mm-query: 1\nquery: ping").unwrap(), Request::Ping);
}

#[test]
fn a_block_that_was_cut_only_refuses_what_the_senders_alone_refuse() {
    let service = service(&fixtures().join("lists"), None);
    let coded = |text: &str| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    let word = |headers: &str, more: &str| {
        let headers = coded(headers);
        let request = format!(
            "mm-query: 1\nquery: test-message\nlist: announce\nheaders-base64: {headers}\n{more}\n"
        );
        answer(&service, request.as_bytes()).word
    };
    let member = format!("from-base64: {}\n", coded("alice@example.org"));
    let stranger = format!("from-base64: {}\n", coded("eve@example.net"));
    let from_stranger = "From: eve@example.net\n";
    assert_eq!(word(from_stranger, "approved: no\n"), "reject");
    assert_eq!(word(from_stranger, "approved: yes\n"), "undecided");
    assert_eq!(
        word(from_stranger, &format!("headers-cut: yes\napproved: no\n{stranger}")),
        "reject"
    );
    assert_eq!(
        word(from_stranger, &format!("headers-cut: yes\napproved: yes\n{stranger}")),
        "undecided"
    );
    // The header that counts lay behind the cut.
    assert_eq!(
        word(from_stranger, &format!("headers-cut: yes\napproved: no\n{member}")),
        "undecided"
    );
    assert_eq!(word(from_stranger, "headers-cut: yes\napproved: no\n"), "undecided");
    let junk = format!("X-Junk: {}\n", "x".repeat(70_000));
    assert_eq!(word(&junk, &format!("approved: no\n{member}")), "undecided");
    assert_eq!(word(&junk, &format!("approved: no\n{stranger}")), "reject");
}

#[test]
fn a_hold_has_words_for_the_sender() {
    let service = service(&fixtures().join("lists"), None);
    let ask = |more: &str| {
        let request =
            format!("mm-query: 1\nquery: test-sender\nlist: held\nfrom: eve@example.net\n{more}");
        answer(&service, request.as_bytes())
    };
    let held = ask("");
    assert_eq!((held.word.as_str(), held.text.lines().count()), ("hold", 1), "{}", held.text);
    assert!(ask("held: refuse\n").text.contains("does not take such messages"));
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
        let found = end(&bytes, 0);
        prop_assert!(found.is_none_or(|end| end <= bytes.len()));
    }

    /// However a request comes in pieces, its end is found where the first empty line ends.
    #[test]
    fn the_end_is_found_in_pieces(text in "[a\\r\\n]{0,40}", cut in 0usize..40) {
        let bytes = text.as_bytes();
        let whole = end(bytes, 0);
        let first = &bytes[..cut.min(bytes.len())];
        let in_pieces = end(first, 0).or_else(|| end(bytes, first.len()));
        prop_assert_eq!(in_pieces, whole);
    }

    /// What is before the end is the same request as with all that follows.
    #[test]
    fn nothing_behind_the_end_counts(text in "(mm-query: 1\nquery: list-domain\n)?(list: [a-z\r]{0,4}\n){0,2}\r?\n[a-z: \n]{0,20}") {
        if let Some(end) = end(text.as_bytes(), 0) {
            prop_assert_eq!(parse(&text.as_bytes()[..end]), parse(text.as_bytes()));
        }
    }

    #[test]
    fn values_come_back_as_they_were(list in "[a-z]{1,9}", from in proptest::collection::vec(any::<u8>(), 0..60)) {
        use base64::Engine;
        let coded = base64::engine::general_purpose::STANDARD.encode(&from);
        let request = format!("mm-query: 1\nquery: test-sender\nlist: {list}\nheader-from-base64: {coded}\n");
        let Ok(Request::Sender(question)) = parse(request.as_bytes()) else { panic!("{request}") };
        prop_assert_eq!(question.list, list.into_bytes());
        let given = question.given.senders(&Default::default(), mm_query::python::Python::Two);
        prop_assert!(given.len() == 1);
    }
}
