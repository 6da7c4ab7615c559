//! `unicodedata.normalize` of Python 2.7, whose tables are Unicode 5.2's.
//!
//! What Unicode had assigned by then is normalised alike in every later version (its stability
//! policy). Whatever was assigned later is, to Python 2.7, a starter that never changes: it is
//! kept as it is, and the text on each side of it is normalised by itself.

use unicode_normalization::UnicodeNormalization;

/// `mm_cfg.NORMALIZE_FORM`, the first argument of `normalize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `NFC`
    Nfc,
    /// `NFD`
    Nfd,
    /// `NFKC`
    Nfkc,
    /// `NFKD`
    Nfkd,
}

/// `normalize(form, text)`.
pub fn normalize(form: Form, text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut normalized = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_new) {
        let known = piece.strip_suffix(is_new).unwrap_or(piece);
        match form {
            Form::Nfc => normalized.extend(known.nfc()),
            Form::Nfd => normalized.extend(known.nfd()),
            Form::Nfkc => normalized.extend(known.nfkc()),
            Form::Nfkd => normalized.extend(known.nfkd()),
        }
        normalized.push_str(piece.get(known.len()..).unwrap_or_default());
    }
    normalized
}

/// Whether the character is not in Unicode 5.2 and may be something other than an inert starter
/// in a later version.
fn is_new(c: char) -> bool {
    let after = NEW.partition_point(|&(first, _)| first <= c);
    after.checked_sub(1).and_then(|at| NEW.get(at)).is_some_and(|&(_, last)| c <= last)
}

/// Ranges of such characters, and of others that are not in Unicode 5.2 either.
const NEW: [(char, char); 50] = [
    ('\u{558}', '\u{558}'),
    ('\u{58b}', '\u{58c}'),
    ('\u{5c8}', '\u{5c9}'),
    ('\u{65f}', '\u{65f}'),
    ('\u{7fd}', '\u{7fd}'),
    ('\u{859}', '\u{8ff}'),
    ('\u{9fe}', '\u{9fe}'),
    ('\u{c3c}', '\u{c3c}'),
    ('\u{d3b}', '\u{d3c}'),
    ('\u{eba}', '\u{eba}'),
    ('\u{135d}', '\u{135e}'),
    ('\u{1715}', '\u{1715}'),
    ('\u{1ab0}', '\u{1af0}'),
    ('\u{1bab}', '\u{1bab}'),
    ('\u{1be6}', '\u{1bf3}'),
    ('\u{1cf4}', '\u{1cf9}'),
    ('\u{1de7}', '\u{1dfc}'),
    ('\u{2095}', '\u{209f}'),
    ('\u{2d7f}', '\u{2d7f}'),
    ('\u{32ff}', '\u{32ff}'),
    ('\u{a674}', '\u{a67b}'),
    ('\u{a69c}', '\u{a69f}'),
    ('\u{a7f1}', '\u{a7f9}'),
    ('\u{a82c}', '\u{a82c}'),
    ('\u{aaf6}', '\u{ab69}'),
    ('\u{fa2e}', '\u{fa2f}'),
    ('\u{fe27}', '\u{fe2f}'),
    ('\u{102e0}', '\u{102e0}'),
    ('\u{10376}', '\u{1037a}'),
    ('\u{105c9}', '\u{107bf}'),
    ('\u{10ae5}', '\u{10ae6}'),
    ('\u{10d24}', '\u{10d6d}'),
    ('\u{10eab}', '\u{1107f}'),
    ('\u{11100}', '\u{11f42}'),
    ('\u{1611e}', '\u{1ccf9}'),
    ('\u{1d127}', '\u{1d128}'),
    ('\u{1d250}', '\u{1d281}'),
    ('\u{1d6a6}', '\u{1d6a6}'),
    ('\u{1df95}', '\u{1eebb}'),
    ('\u{1f130}', '\u{1f130}'),
    ('\u{1f132}', '\u{1f13c}'),
    ('\u{1f13e}', '\u{1f13e}'),
    ('\u{1f140}', '\u{1f141}'),
    ('\u{1f143}', '\u{1f145}'),
    ('\u{1f147}', '\u{1f149}'),
    ('\u{1f14f}', '\u{1f14f}'),
    ('\u{1f16a}', '\u{1f16c}'),
    ('\u{1f201}', '\u{1f202}'),
    ('\u{1f232}', '\u{1f23b}'),
    ('\u{1f250}', '\u{1fbf9}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Over the characters of every `normalize(form, u'\u0345' + c + u'\u0301')`, surrogates left
    /// out, h = h * 31 + code point, modulo 2^64, as Python 2.7.18 computes it, too. The marks
    /// around each character show its combining class and whether it composes.
    fn hash_of_all(form: Form) -> u64 {
        let texts = (0..=0x10_ffff_u32).filter_map(char::from_u32);
        let normalized = texts.map(|c| normalize(form, &format!("\u{345}{c}\u{301}")));
        normalized.fold(0, |hash: u64, text| {
            text.chars().fold(hash, |h, c| h.wrapping_mul(31).wrapping_add(u64::from(u32::from(c))))
        })
    }

    /// A newer `unicode-normalization` may fail here: [`NEW`] then needs its new characters.
    #[test]
    fn every_character_is_normalised_as_python_does() {
        assert_eq!(hash_of_all(Form::Nfc), 0xf706_71a8_c32a_8bb9);
        assert_eq!(hash_of_all(Form::Nfkd), 0x766d_6d14_0881_1afc);
    }

    #[test]
    fn new_characters_are_kept_and_divide_the_text() {
        // U+08E3 (Unicode 7) has a combining class there; none in 5.2, where it is not assigned.
        assert_eq!(normalize(Form::Nfc, "a\u{8e3}\u{301}"), "a\u{8e3}\u{301}");
        assert_eq!(normalize(Form::Nfkc, "\u{32ff}ﬁ"), "\u{32ff}fi");
    }
}
