//! Python 2.7's own answers on encoded words, and what hostile header values may cost.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use mm_query::limits::HEADER_BYTES;
use mm_query::mailman::handlers::spam_detect::header_text::{NoText, header_text};
use mm_query::python::Python;
use mm_query::python::words::charset::{DecodeError, decode};
use mm_query::python::words::normalize::Form;
use mm_query::python::words::{HeaderParseError, decode_header};
use proptest::prelude::*;

/// The fragments as `bytes|charset`, `bytes` alone where there is no charset.
fn words(value: &[u8]) -> Vec<String> {
    let fragments = decode_header(value).unwrap().into_iter();
    let show = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    fragments
        .map(|f| match f.charset {
            Some(charset) => format!("{}|{}", show(f.bytes), show(charset)),
            None => show(f.bytes),
        })
        .collect()
}

fn text(value: &[u8]) -> Result<String, NoText> {
    header_text(value, Form::Nfkc, Python::Two).map(Option::unwrap_or_default)
}

/// What the bytes are in the charset, `Err` as [`decode`] has it.
fn decoded(bytes: &[u8], charset: &str) -> Result<String, DecodeError> {
    let mut text = String::new();
    decode(bytes, charset.as_bytes(), &mut text).map(|()| text)
}

#[test]
fn a_value_without_words_is_one_fragment_as_it_stands() {
    for value in [" a  b\n c ", "", "=?utf-8?q?a?=x", "=?utf-8?q?a", "=?utf-8?x?a?=", "\r\n\r\n"] {
        assert_eq!(words(value.as_bytes()), [value]);
    }
}

#[test]
fn a_word_counts_before_a_blank_or_the_end_of_a_line_only() {
    assert_eq!(words(b"=?utf-8?q?a?=x =?utf-8?q?b?="), ["a?=x =?utf-8?q?b|utf-8"]);
    assert_eq!(words(b"=?u?q?a?=\t=?u?q?b?=\n=?u?q?c?="), ["abc|u"]);
    // A line end after the word is CR here: the whole value has no word, unlike its line.
    assert_eq!(words(b"=?u?q?a?=\rb"), ["=?u?q?a?=\rb"]);
    assert_eq!(words(b"=?u?q?a?=\rb =?v?q?c?="), ["a|u", "b", "c|v"]);
}

#[test]
fn an_opening_inside_a_charset_begins_anew() {
    assert_eq!(words(b"=?=?utf-8?q?a?="), ["=?", "a|utf-8"]);
    assert_eq!(words(b"=??q?a?="), ["a|"]);
    assert_eq!(words(b"=?u?q??= =?v?b??="), ["|u", "|v"]);
}

#[test]
fn plain_text_beside_a_word_is_stripped() {
    assert_eq!(words(b" a  b =?u?q?c?= \x0b d "), ["a  b", "c|u", "d"]);
    // A line without a word stays whole; what follows is joined to it by a space.
    assert_eq!(words(b" a \n b =?u?q?c?=\n d "), [" a  b", "c|u", " d "]);
    assert_eq!(words(b"=?u?q?c?=\n\n\nd"), ["c|u", "", "", "d"]);
}

#[test]
fn neighbouring_words_of_one_charset_are_one_fragment() {
    assert_eq!(words(b"=?UTF-8?q?a?= =?utf-8?b?Yg?= =?x?q?c?="), ["ab|utf-8", "c|x"]);
    assert_eq!(words(b"=?u?q?a?= b =?u?q?c?="), ["a|u", "b", "c|u"]);
}

#[test]
fn quoted_words_keep_what_is_no_escape() {
    assert_eq!(words(b"=?u?Q?_=41=4a=_=4?="), [" AJ= =4|u"]);
}

#[test]
fn base64_is_padded_by_the_length_and_lenient() {
    assert_eq!(words(b"=?u?b?YWI?="), ["ab|u"]);
    assert_eq!(words(b"=?u?b?YQ==YWI=?="), ["a|u"]);
    assert_eq!(words(b"=?u?b?=Y-W!J?="), ["ab|u"]);
    for wrong in ["=?u?b?Y?=", "=?u?b?YWJjZ?=", "a =?u?q?b?= =?u?b?YQ-?="] {
        assert_eq!(decode_header(wrong.as_bytes()), Err(HeaderParseError), "{wrong}");
    }
}

#[test]
fn a_header_is_unfolded_and_its_fragments_joined() {
    assert_eq!(text(b"a\n\tb\n c"), Ok("a b c".to_owned()));
    assert_eq!(text(b"a =?utf-8?q?b?= c"), Ok("abc".to_owned()));
    assert_eq!(text(b"=?utf-8?q?=C3?= =?UTF-8?q?=A9?="), Ok("é".to_owned()));
    assert_eq!(text(b"raw \xc3\xa9"), Ok("raw \u{fffd}\u{fffd}".to_owned()));
    assert_eq!(text("=?utf-8?q?=EF=BC=A1=EF=AC=81?=".as_bytes()), Ok("Afi".to_owned()));
}

#[test]
fn bad_base64_leaves_the_value_folded() {
    assert_eq!(text(b"a\n =?utf-8?b?Y?="), Ok("a\n =?utf-8?b?Y?=".to_owned()));
}

#[test]
fn an_unknown_charset_is_latin_1_and_none_is_ascii() {
    assert_eq!(text(b"=?nosuch?q?=E9?="), Ok("é".to_owned()));
    assert_eq!(text(b"=?utf-8*en?q?=C3=A9?="), Ok("Ã©".to_owned()));
    assert_eq!(text(b"=??q?a=E9?="), Ok("a\u{fffd}".to_owned()));
}

#[test]
fn codecs_that_are_not_for_text_shunt() {
    let long = "x".repeat(4086);
    for charset in [
        "hex",
        "zlib",
        "bz2",
        "base64",
        "quopri",
        "uu",
        "string_escape",
        "idna",
        "punycode",
        "undefined",
        "utf-8\0",
        "HEX_codec",
        long.as_str(),
    ] {
        let value = format!("=?{charset}?q?61?=");
        assert_eq!(text(value.as_bytes()), Err(NoText::Shunt), "{charset}");
        // Even where another fragment's text is not known.
        let value = format!("=?hz?q?a?= {value}");
        assert_eq!(text(value.as_bytes()), Err(NoText::Shunt), "{charset}");
    }
    assert_eq!(text(b"=?hex?q??="), Ok(String::new()), "no bytes are text in every charset");
    assert_eq!(text(b"=?utf-8\0?q??="), Err(NoText::Shunt));
    assert_eq!(text(format!("=?{}?q?a?=", "x".repeat(4085)).as_bytes()), Ok("a".to_owned()));
}

#[test]
fn ascii_is_text_in_charsets_that_are_not_followed_further() {
    for charset in ["hz", "iso2022_kr", "iso-2022-jp-2", "johab", "big5-hkscs"] {
        assert_eq!(text(format!("=?{charset}?q?a_b?=").as_bytes()), Ok("a b".to_owned()));
    }
    assert_eq!(text(b"=?hz?q?=C3a?="), Ok("\u{fffd}a".to_owned()));
}

#[test]
fn text_that_python_alone_has_is_unknowable() {
    for value in [
        "=?utf-7?q?+AGEA?=",
        "=?utf-7?q?+2D0-?=",
        "=?utf-8?q?=ED=A0=80?=",
        "=?hz?q?~{?=",
        "=?johab?q?=88?=",
    ] {
        assert_eq!(text(value.as_bytes()), Err(NoText::Unknowable), "{value}");
    }
}

#[test]
fn charsets_are_found_by_python_s_names() {
    for name in ["utf-8", "UTF8", "utf 8", "__utf--8__", "U8", "cp65001"] {
        let expected =
            if name == "cp65001" { Err(DecodeError::Unknown) } else { Ok("é".to_owned()) };
        assert_eq!(decoded(b"\xc3\xa9", name), expected, "{name}");
    }
    assert_eq!(decoded(b"\xe9", "iso.8859.1"), Ok("é".to_owned()), "an alias with dots");
    assert_eq!(decoded(b"\xe9", "utf.8"), Err(DecodeError::Unknown), "a module has none");
    for name in ["mbcs", "aliases", "..", "windows-949x", "iso-8859-8-i", "tactis"] {
        assert_eq!(decoded(b"a", name), Err(DecodeError::Unknown), "{name}");
    }
}

#[test]
fn invalid_bytes_are_replaced_as_python_counts_them() {
    let cases: [(&[u8], &str, &str); 25] = [
        (b"a\xf0\x90\x80b", "utf-8", "a\u{fffd}b"),
        (b"\xf0\x80\x80\x80", "utf-8", "\u{fffd}\u{fffd}"),
        (b"\xc3", "utf-8", "\u{fffd}"),
        (b"\xf5\x80", "utf-8", "\u{fffd}\u{fffd}"),
        (b"\xef\xbb\xbfa", "utf-8", "\u{feff}a"),
        (b"\xef\xbb\xbfa", "utf-8-sig", "a"),
        (b"a\0\0\xd8b", "utf-16", "a\u{fffd}"),
        (b"a\0\0\xdcb", "utf-16", "a\u{fffd}"),
        (b"\x3d\xd8\0\xdeb", "utf-16", "😀\u{fffd}"),
        (b"\xfe\xff\0a", "utf-16", "a"),
        (b"\xfe\xff\0a", "utf-16-be", "\u{feff}a"),
        (b"a\0\0\0\0\0\x11\0b", "utf-32-le", "a\u{fffd}\u{fffd}"),
        (b"+-a-+AGE-\xff+2D3eAA.+AGE", "utf-7", "+a-a\u{fffd}😀.a"),
        (b"\x81\x80", "windows-1252", "\u{fffd}€"),
        (b"\xb0Ab\xff", "gb2312", "\u{fffd}b\u{fffd}"),
        (b"\xa1\xaa", "gb2312", "―"),
        (b"\xa1\xaa", "gbk", "—"),
        (b"\xa4\xd4\xa4\xa1\xa4\xbf\xa4\xd4", "euc-kr", "가"),
        (b"\xa4\xd4abcdefg", "euc-kr", "\u{fffd}g"),
        (b"a\xa4\xd4\xa4\xa1\xa4\xbf\xa4", "euc-kr", "a\u{fffd}"),
        (b"\\~\x81\x60\xb1", "shift_jis", "\\~〜ｱ"),
        (b"\x1b$Bab\x80a$$", "iso-2022-jp", "痰\u{fffd}瓩\u{fffd}"),
        (b"\x1b(Ia\x1b[1\xe9Ab\xe9", "iso-2022-jp", "\u{fffd}a\x1b[1éAb\u{fffd}"),
        (b"\x1b..\x1b$B0!\x1b)B0!\x1b", "iso-2022-jp", "亜亜\u{fffd}"),
        (b"\x1b$B$\"\n\x1b(J\\", "iso-2022-jp", "あ\n¥"),
    ];
    for (bytes, charset, expected) in cases {
        assert_eq!(decoded(bytes, charset), Ok(expected.to_owned()), "{charset} {bytes:?}");
    }
}

/// These would take time by the square of their length in a search that begins anew at each byte.
#[test]
fn hostile_values_of_the_largest_size_are_decoded() {
    let pieces = [
        "=?",
        "=?u",
        "=?u?q?",
        "=?u?q?a?=x",
        "=?u?q?a?= ",
        "=?u?b?YQ== ",
        "?",
        "=?u?b?=",
        "\n ",
        "=?u?q?a\n",
        "=?u?q?a\r",
        "=?u?q?=?=",
        "a=?u?q?a?= \r",
        "=?utf-8?q?=CC=81?= ",
    ];
    for piece in pieces {
        let value = piece.repeat(HEADER_BYTES / piece.len());
        assert!(text(value.as_bytes()).is_ok(), "{piece:?}");
        let ended = format!("{}?= ", piece.repeat(HEADER_BYTES / 8 / piece.len()));
        assert!(text(ended.as_bytes()).is_ok(), "{piece:?}");
    }
    for charset in ["utf-8", "big5", "gb18030", "iso-2022-jp", "cp1252", "utf-16", "utf-8-sig"] {
        for piece in ["=CC=81=CC=A3", "=EF", "=ED=A0=80", "=81", "=1B$B", "=F0=90=8F"] {
            let many = piece.repeat(HEADER_BYTES / 64);
            let value = format!("=?{charset}?q?{many}?=");
            assert_ne!(text(value.as_bytes()), Err(NoText::Shunt), "{charset} {piece}");
        }
    }
}

/// A value made of pieces that matter.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "=?", "?=", "?", "=", "?q?", "?B?", " ", "\t", "\n", "\r", "utf-8", "gb18030", "=C3",
            "=A9", "YWI=", "big5", "hex", "iso-2022-jp", "=1B$B", "utf-16", "_", "a",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Charsets of every kind.
const CHARSETS: [&str; 16] = [
    "utf-8",
    "utf-16",
    "utf-32",
    "utf-16-be",
    "us-ascii",
    "latin-1",
    "cp1252",
    "cp037",
    "big5",
    "gb18030",
    "euc-kr",
    "euc-jp",
    "shift_jis",
    "cp932",
    "iso-2022-jp",
    "utf-8-sig",
];

proptest! {
    #[test]
    fn no_value_breaks_anything(value in value()) {
        // Nothing is invented: what comes out of the words was in the value.
        if let Ok(fragments) = decode_header(&value) {
            let bytes: usize = fragments.iter().map(|fragment| fragment.bytes.len()).sum();
            prop_assert!(bytes <= value.len());
        }
        if let Ok(Some(text)) = header_text(&value, Form::Nfc, Python::Two) {
            prop_assert!(text.chars().count() <= value.len());
        }
        let _ = header_text(&value, Form::Nfc, Python::Three);
    }

    #[test]
    fn no_bytes_break_a_charset(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        charset in prop::sample::select(CHARSETS.to_vec()),
    ) {
        match decoded(&bytes, charset) {
            Ok(text) => prop_assert!(text.chars().count() <= bytes.len()),
            Err(error) => prop_assert_eq!(error, DecodeError::Untold),
        }
    }
}
