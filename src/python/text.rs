//! Strings as Python has them, and the few methods that the rules call.
//!
//! Byte strings know only ASCII here, as Python 3's do. Python 2's follow `LC_CTYPE`, which is
//! the same in the C locale and in every UTF-8 locale of glibc; a site that runs Mailman in an
//! 8-bit locale lowercases and strips more.

use std::borrow::Cow;

use super::Python;

/// A Python string: bytes (`str` of Python 2, `bytes` of Python 3) or text (`unicode`, `str`).
///
/// Lone surrogates, which Python allows in text, are U+FFFD here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PyStr {
    /// Bytes in no particular encoding.
    Bytes(Vec<u8>),
    /// Unicode text.
    Text(String),
}

impl PyStr {
    /// What a `str` of that Python holds after reading these bytes from a message: the bytes, or
    /// the text they are in UTF-8. None if Python 3 has no proper text for them.
    pub fn native(value: &[u8], python: Python) -> Option<Self> {
        match python {
            Python::Two => Some(PyStr::Bytes(value.to_vec())),
            Python::Three => Some(PyStr::Text(std::str::from_utf8(value).ok()?.to_owned())),
        }
    }

    /// A `str` of that Python with this text; in Python 2 its UTF-8.
    pub fn of(text: &str, python: Python) -> Self {
        match python {
            Python::Two => PyStr::Bytes(text.as_bytes().to_vec()),
            Python::Three => PyStr::Text(text.to_owned()),
        }
    }

    /// The bytes themselves, or the text in UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            PyStr::Bytes(b) => b,
            PyStr::Text(t) => t.as_bytes(),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// For messages to people: invalid UTF-8 replaced.
    pub fn to_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    /// `s.lower()`. Text is lowered by Unicode 5.2 character by character in Python 2, and by
    /// Unicode 14 with the rule for a final sigma in Python 3 (3.11; newer ones lower a few
    /// letters more).
    #[must_use]
    pub fn lower(&self, python: Python) -> Self {
        match self {
            PyStr::Bytes(b) => PyStr::Bytes(b.to_ascii_lowercase()),
            PyStr::Text(t) => PyStr::Text(lower_text(t, python)),
        }
    }

    /// `s.strip()`.
    #[must_use]
    pub fn strip(&self, python: Python) -> Self {
        match self {
            PyStr::Bytes(b) => PyStr::Bytes(strip_bytes(b).to_vec()),
            PyStr::Text(t) => PyStr::Text(t.trim_matches(|c| is_space(c, python)).to_owned()),
        }
    }

    /// `''.join(s.splitlines())`: the line ends taken out, nothing put in.
    #[must_use]
    pub fn join_lines(&self) -> Self {
        match self {
            PyStr::Bytes(b) => {
                let kept = b.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n'));
                PyStr::Bytes(kept.collect())
            }
            PyStr::Text(t) => PyStr::Text(t.chars().filter(|&c| !is_line_end(c)).collect()),
        }
    }

    /// `s.split()[n]`: the word with this index, words being separated by any run of whitespace.
    /// None where Python raises `IndexError`.
    pub fn word(&self, n: usize, python: Python) -> Option<Self> {
        match self {
            PyStr::Bytes(b) => {
                let words = b.split(|&byte| is_space_byte(byte)).filter(|word| !word.is_empty());
                words.skip(n).map(|word| PyStr::Bytes(word.to_vec())).next()
            }
            PyStr::Text(t) => {
                let words = t.split(|c| is_space(c, python)).filter(|word| !word.is_empty());
                words.skip(n).map(|word| PyStr::Text(word.to_owned())).next()
            }
        }
    }

    /// What stands before and after the last `@`; None without one.
    pub fn rsplit_at(&self) -> Option<(Self, Self)> {
        match self {
            PyStr::Bytes(b) => {
                let at = b.iter().rposition(|&byte| byte == b'@')?;
                let (local, domain) = (b.get(..at)?, b.get(at + 1..)?);
                Some((PyStr::Bytes(local.to_vec()), PyStr::Bytes(domain.to_vec())))
            }
            PyStr::Text(t) => {
                let (local, domain) = t.rsplit_once('@')?;
                Some((PyStr::Text(local.to_owned()), PyStr::Text(domain.to_owned())))
            }
        }
    }
}

/// `s.splitlines()`: the lines without their ends. A CR and an LF together are one end.
pub fn split_lines(text: &PyStr) -> Vec<PyStr> {
    match text {
        PyStr::Bytes(bytes) => byte_lines(bytes).map(|line| PyStr::Bytes(line.to_vec())).collect(),
        PyStr::Text(text) => text_lines(text).map(|line| PyStr::Text(line.to_owned())).collect(),
    }
}

/// `splitlines` of a byte string: CR, LF or both end a line.
pub fn byte_lines(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (line, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let is_last = behind.is_empty();
        rest = match behind {
            [b'\r', b'\n', behind @ ..] | [_, behind @ ..] => behind,
            [] => &[],
        };
        (!is_last || !line.is_empty()).then_some(line)
    })
}

/// `splitlines` of text: a CR, an LF, both, or one of a few others end a line.
pub fn text_lines(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (line, behind) = rest.split_at_checked(rest.find(is_line_end).unwrap_or(rest.len()))?;
        let is_last = behind.is_empty();
        let mut after = behind.chars();
        after.next();
        rest = behind.strip_prefix("\r\n").unwrap_or(after.as_str());
        (!is_last || !line.is_empty()).then_some(line)
    })
}

/// `str.isspace` of a byte string's byte.
pub const fn is_space_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// `str.strip` of a byte string.
pub fn strip_bytes(text: &[u8]) -> &[u8] {
    let from = text.iter().position(|&byte| !is_space_byte(byte)).unwrap_or(text.len());
    let to = text.iter().rposition(|&byte| !is_space_byte(byte)).map_or(0, |last| last + 1);
    text.get(from..to).unwrap_or_default()
}

/// Whether a character is one of the ASCII white space of [`is_space_byte`] (`string.whitespace`).
pub fn is_ascii_space(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_space_byte)
}

/// `isspace` of a character of text. U+180E is whitespace to Python 2 only.
pub fn is_space(c: char, python: Python) -> bool {
    match c {
        '\x1c'..='\x1f' => true,
        '\u{180e}' => python == Python::Two,
        _ => c.is_whitespace(),
    }
}

/// Whether `unicode.splitlines` (Python 2) or `str.splitlines` (Python 3) ends a line here.
pub const fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether these bytes, UTF-8, are text that Python 3's `str.strip` would leave nothing of.
pub(super) fn is_blank_text(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.chars().all(|c| is_space(c, Python::Three)))
}

/// Characters that have no lower case in Unicode 5.2 although the standard library knows one, as
/// ranges that contain no character which Unicode 5.2 lowers.
const NOT_LOWERED_IN_5_2: [(char, char); 9] = [
    ('\u{37f}', '\u{37f}'),
    ('\u{526}', '\u{52e}'),
    ('\u{10c7}', '\u{1cbf}'),
    ('\u{2c2f}', '\u{2c2f}'),
    ('\u{2cf2}', '\u{2cf2}'),
    ('\u{a660}', '\u{a660}'),
    ('\u{a698}', '\u{a69a}'),
    ('\u{a78d}', '\u{a7f5}'),
    ('\u{104b0}', '\u{1e921}'),
];

/// The same for Unicode 14, in which these characters are not assigned.
const NOT_LOWERED_IN_14: [(char, char); 6] = [
    ('\u{1c89}', '\u{1c89}'),
    ('\u{a7cb}', '\u{a7ce}'),
    ('\u{a7d2}', '\u{a7d4}'),
    ('\u{a7da}', '\u{a7dc}'),
    ('\u{10d50}', '\u{10d65}'),
    ('\u{16ea0}', '\u{16eb8}'),
];

fn is_in(ranges: &[(char, char)], c: char) -> bool {
    ranges.iter().any(|&(first, last)| (first..=last).contains(&c))
}

fn lower_text(text: &str, python: Python) -> String {
    match python {
        Python::Two => text.chars().map(lower_char_2).collect(),
        Python::Three => lower_text_3(text),
    }
}

/// The simple mapping. The only character with a longer full mapping is U+0130, whose simple one
/// is the first character of that.
fn lower_char_2(c: char) -> char {
    if is_in(&NOT_LOWERED_IN_5_2, c) { c } else { c.to_lowercase().next().unwrap_or(c) }
}

/// An unassigned character is neither cased nor ignorable, so that it ends the context of a final
/// sigma: what is between two of them is lowered by itself.
fn lower_text_3(text: &str) -> String {
    let is_unassigned = |c| is_in(&NOT_LOWERED_IN_14, c);
    let mut lowered = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_unassigned) {
        let last = piece.chars().next_back().filter(|&c| is_unassigned(c));
        lowered.push_str(&piece.strip_suffix(is_unassigned).unwrap_or(piece).to_lowercase());
        lowered.extend(last);
    }
    lowered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &[u8]) -> PyStr {
        PyStr::Bytes(value.to_vec())
    }

    fn text(value: &str) -> PyStr {
        PyStr::Text(value.to_owned())
    }

    /// Over all characters' lower cases h = h * 31 + code point, modulo 2^64, with
    /// `unichr(i).lower()` (Python 2.7.18) or `chr(i).lower()` (3.11.7) for every i but surrogates.
    /// A toolchain with a newer Unicode fails here: the tables above then need its new letters.
    fn hash_of_lower_cases(python: Python) -> u64 {
        let lowered = (0..=0x10_ffff_u32)
            .filter_map(char::from_u32)
            .flat_map(|c| lower_text(&c.to_string(), python).chars().collect::<Vec<_>>());
        lowered.fold(0, |h: u64, c| h.wrapping_mul(31).wrapping_add(u64::from(u32::from(c))))
    }

    #[test]
    fn every_character_is_lowered_as_python_lowers_it() {
        assert_eq!(hash_of_lower_cases(Python::Two), 0x1e76_e483_e949_7741);
        assert_eq!(hash_of_lower_cases(Python::Three), 0x1e06_4c63_418b_221b);
    }

    #[test]
    fn bytes_are_lowered_in_ascii_only() {
        for python in [Python::Two, Python::Three] {
            assert_eq!(bytes(b"JOE@X.ORG \xc4").lower(python), bytes(b"joe@x.org \xc4"));
        }
    }

    #[test]
    fn a_final_sigma_is_python_3s_alone() {
        let name = text("ΟΔΥΣΣΕΥΣ. Σ ΑΣ\u{1c89}");
        assert_eq!(name.lower(Python::Two), text("οδυσσευσ. σ ασ\u{1c89}"));
        assert_eq!(name.lower(Python::Three), text("οδυσσευς. σ ας\u{1c89}"));
    }

    #[test]
    fn a_dotted_capital_i_becomes_one_character_or_two() {
        assert_eq!(text("İ").lower(Python::Two), text("i"));
        assert_eq!(text("İ").lower(Python::Three), text("i\u{307}"));
    }

    #[test]
    fn whitespace_is_what_each_python_says() {
        let spaces = |python| {
            (0..=0x10_ffff_u32).filter_map(char::from_u32).filter(move |&c| is_space(c, python))
        };
        let mut both: Vec<u32> =
            vec![9, 10, 11, 12, 13, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680];
        both.extend(0x2000..=0x200a);
        both.extend([0x2028, 0x2029, 0x202f, 0x205f, 0x3000]);
        assert_eq!(spaces(Python::Three).map(u32::from).collect::<Vec<_>>(), both);
        both.insert(13, 0x180e);
        assert_eq!(spaces(Python::Two).map(u32::from).collect::<Vec<_>>(), both);
        let of_bytes: Vec<u8> = (0..=255).filter(|&byte| is_space_byte(byte)).collect();
        assert_eq!(of_bytes, [9, 10, 11, 12, 13, 32]);
    }

    #[test]
    fn strip_takes_whitespace_off_both_ends() {
        assert_eq!(bytes(b" \x0b\x0c a b\t\r\n").strip(Python::Two), bytes(b"a b"));
        assert_eq!(bytes(b"\x1c a \xa0").strip(Python::Two), bytes(b"\x1c a \xa0"));
        assert_eq!(bytes(b" \n ").strip(Python::Two), bytes(b""));
        assert_eq!(text("\x1c\u{2003}a\u{a0}").strip(Python::Three), text("a"));
        assert_eq!(text("\u{180e}a").strip(Python::Three), text("\u{180e}a"));
        assert_eq!(text("\u{180e}a").strip(Python::Two), text("a"));
    }

    #[test]
    fn joined_lines_lose_their_ends() {
        assert_eq!(
            bytes(b"a\r\n b\n\rc\x0b\x0c\x1c\x85").join_lines(),
            bytes(b"a bc\x0b\x0c\x1c\x85")
        );
        let line_ends = "\n\r\x0b\x0c\x1c\x1d\x1e\u{85}\u{2028}\u{2029}";
        assert_eq!(text(line_ends).join_lines(), text(""));
        assert_eq!(text("a\x1f\u{a0}\n b").join_lines(), text("a\x1f\u{a0} b"));
    }

    #[test]
    fn a_word_is_found_by_its_index() {
        let unixfrom = bytes(b"From  joe@x.org\tMon Jan");
        assert_eq!(unixfrom.word(1, Python::Two), Some(bytes(b"joe@x.org")));
        assert_eq!(bytes(b"From \n").word(1, Python::Two), None);
        assert_eq!(
            text("From\u{a0}joe@x.org\u{180e}").word(1, Python::Three),
            Some(text("joe@x.org\u{180e}"))
        );
        assert_eq!(text("").word(0, Python::Three), None);
    }

    #[test]
    fn the_last_at_sign_divides() {
        assert_eq!(bytes(b"a@b@c").rsplit_at(), Some((bytes(b"a@b"), bytes(b"c"))));
        assert_eq!(text("@").rsplit_at(), Some((text(""), text(""))));
        assert_eq!(text("joe").rsplit_at(), None);
    }

    #[test]
    fn python_3_has_no_text_for_bytes_that_are_not_utf_8() {
        assert_eq!(PyStr::native(b"\xff", Python::Two), Some(bytes(b"\xff")));
        assert_eq!(PyStr::native("é".as_bytes(), Python::Three), Some(text("é")));
        assert_eq!(PyStr::native(b"\xff", Python::Three), None);
    }
}
