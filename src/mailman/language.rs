//! Charsets of the languages that Mailman 2.1.39 knows (`Defaults.add_language`).

/// The languages that `Defaults.py` adds; a site may add others.
const KNOWN: [&[u8]; 40] = [
    b"ar", b"ast", b"ca", b"cs", b"da", b"de", b"en", b"eo", b"es", b"et", b"eu", b"fa", b"fi",
    b"fr", b"gl", b"el", b"he", b"hr", b"hu", b"ia", b"it", b"ja", b"ko", b"lt", b"nl", b"no",
    b"pl", b"pt", b"pt_BR", b"ro", b"ru", b"sk", b"sl", b"sr", b"sv", b"tr", b"uk", b"vi",
    b"zh_CN", b"zh_TW",
];

/// Whether every Mailman 2.1.39 knows the language: without it no notice can be written.
pub fn is_known(language: &[u8]) -> bool {
    KNOWN.contains(&language)
}

/// The charset of the language by Python's name of it (`Utils.GetCharSet`), in a Mailman as GNU
/// releases it.
pub fn python_charset(language: &[u8]) -> &'static [u8] {
    match language {
        b"en" => b"us-ascii",
        b"ar" | b"ca" | b"eo" | b"fa" | b"gl" | b"he" | b"ro" | b"ru" | b"sk" | b"sr" | b"uk"
        | b"vi" | b"zh_CN" | b"zh_TW" => b"utf-8",
        _ => charset(language).as_bytes(),
    }
}

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
