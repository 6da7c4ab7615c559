//! Charsets of the languages that Mailman 2.1.39 knows (`Defaults.add_language`).

/// The charset in which a list in this language keeps its texts, as a label of the Encoding
/// Standard. Debian recodes all languages to UTF-8, so this only matters where a text is not
/// valid UTF-8; where the language is unknown, Latin-1 shows the most.
pub fn charset(language: &[u8]) -> &'static str {
    match language {
        b"cs" | b"hr" | b"hu" | b"pl" | b"sl" => "iso-8859-2",
        b"el" => "iso-8859-7",
        b"et" | b"eu" | b"ia" => "iso-8859-15",
        b"ja" => "euc-jp",
        b"ko" => "euc-kr",
        b"lt" => "iso-8859-13",
        b"tr" => "iso-8859-9",
        b"ru" => "koi8-r",
        _ => "iso-8859-1",
    }
}
