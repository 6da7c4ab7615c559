//! What a letter, a digit and the other case of a character are: ASCII's answer and Unicode's.

use super::scan::char_of;
use super::syntax::{Category, Modes};
use super::tables::{unicode5, unicode14};
use crate::python::Python;

/// Characters `a` to `z` and the like, one bit a character.
const LOWER_ASCII: u128 = 0x07ff_fffe << 96;
const UPPER_ASCII: u128 = 0x07ff_fffe << 64;
const DIGIT_ASCII: u128 = 0x03ff << 48;
const WORD_ASCII: u128 = LOWER_ASCII | UPPER_ASCII | DIGIT_ASCII | 1 << 95;
/// `\t \n \v \f \r` and the space.
const SPACE_ASCII: u128 = 0x1f << 9 | 1 << 32;
/// What Unicode's `\s` has in addition: the four information separators.
const SEPARATORS: u128 = 0xf << 28;

/// The characters beyond ASCII that take part in categories and case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repertoire {
    /// None: bytes, and patterns without UNICODE in Python 2 or with ASCII in Python 3.
    Ascii,
    /// Python 2.7's with UNICODE.
    Unicode5,
    /// Python 3.11's.
    Unicode14,
}

impl Repertoire {
    /// The repertoire of a pattern (or group) with these flags.
    pub(super) fn new(modes: Modes, python: Python) -> Repertoire {
        match python {
            _ if !modes.has(Modes::UNICODE) || modes.has(Modes::LOCALE) => Repertoire::Ascii,
            Python::Two => Repertoire::Unicode5,
            Python::Three => Repertoire::Unicode14,
        }
    }

    /// The lower case of `c`, one character.
    pub(super) fn lower(self, c: u32) -> u32 {
        if c < 128 {
            return if (65..=90).contains(&c) { c + 32 } else { c };
        }
        mapped(self.lower_runs(), c)
    }

    /// Runs of characters whose lower case is another.
    pub(super) fn lower_runs(self) -> &'static [CaseRun] {
        match self {
            Repertoire::Ascii => ASCII_LOWER,
            Repertoire::Unicode5 => UNICODE5_LOWER,
            Repertoire::Unicode14 => UNICODE14_LOWER,
        }
    }

    /// Runs of characters whose upper case is another. (Python 2 does not ask.)
    pub(super) fn upper_runs(self) -> &'static [CaseRun] {
        match self {
            Repertoire::Ascii => ASCII_UPPER,
            Repertoire::Unicode5 | Repertoire::Unicode14 => UNICODE14_UPPER,
        }
    }

    /// Whether `c` has another case.
    pub(super) fn is_cased(self, c: u32) -> bool {
        if let Ok(byte @ 0..128) = u8::try_from(c) {
            return byte.is_ascii_alphabetic();
        }
        mapped(self.lower_runs(), c) != c || mapped(self.upper_runs(), c) != c
    }

    /// The lower case characters that IGNORECASE takes for the same as `lower`, itself included;
    /// empty if there are no others.
    pub(super) fn variants(self, lower: u32) -> &'static [u32] {
        // The dotless i and the long s are all that ASCII letters have.
        if lower < 128 && !matches!(char_of(lower), 'i' | 's') {
            return &[];
        }
        self.variant_classes().iter().copied().find(|c| c.contains(&lower)).unwrap_or_default()
    }

    /// All groups of lower case characters that IGNORECASE takes for the same.
    pub(super) fn variant_classes(self) -> &'static [&'static [u32]] {
        match self {
            Repertoire::Ascii => &[],
            Repertoire::Unicode5 => &unicode5::VARIANTS,
            Repertoire::Unicode14 => &unicode14::VARIANTS,
        }
    }

    /// Whether `c` is of the category.
    pub(super) fn is_in(self, category: Category, c: u32) -> bool {
        if c < 128 {
            return self.ascii_mask(category) >> c & 1 == 1;
        }
        // An edge at or before `c` lets it in, the next one out again.
        self.edges(category).partition_point(|edge| *edge <= c) % 2 == 1
    }

    /// The ASCII characters of the category, one bit a character.
    pub(super) fn ascii_mask(self, category: Category) -> u128 {
        match (category, self) {
            (Category::Digit, _) => DIGIT_ASCII,
            (Category::Word, _) => WORD_ASCII,
            (Category::Space, Repertoire::Ascii) => SPACE_ASCII,
            (Category::Space, _) => SPACE_ASCII | SEPARATORS,
        }
    }

    /// The characters where membership in the category changes, ASCII included.
    pub(super) fn edges(self, category: Category) -> &'static [u32] {
        match (self, category) {
            (Repertoire::Ascii, Category::Digit) => &[48, 58],
            (Repertoire::Ascii, Category::Space) => &[9, 14, 32, 33],
            (Repertoire::Ascii, Category::Word) => &[48, 58, 65, 91, 95, 96, 97, 123],
            (Repertoire::Unicode5, Category::Digit) => &unicode5::DIGIT,
            (Repertoire::Unicode5, Category::Space) => &unicode5::SPACE,
            (Repertoire::Unicode5, Category::Word) => &unicode5::WORD,
            (Repertoire::Unicode14, Category::Digit) => &unicode14::DIGIT,
            (Repertoire::Unicode14, Category::Space) => &unicode14::SPACE,
            (Repertoire::Unicode14, Category::Word) => &unicode14::WORD,
        }
    }
}

/// The upper case of `c` in Unicode 14, which Python 3 asks for even where only ASCII counts.
pub(super) fn unicode_upper(c: u32) -> u32 {
    mapped(UNICODE14_UPPER, c)
}

/// The bits of the lower case ASCII letters moved to their upper case ones, and nothing else.
pub(super) fn raise_ascii(mask: u128) -> u128 {
    (mask & LOWER_ASCII) >> 32
}

/// The reverse of [`raise_ascii`].
pub(super) fn lower_ascii(mask: u128) -> u128 {
    (mask & UPPER_ASCII) << 32
}

/// `mask` without the upper case ASCII letters.
pub(super) fn without_upper_ascii(mask: u128) -> u128 {
    mask & !UPPER_ASCII
}

/// First and last character, the step between them, and how far away their other case is.
pub(super) type CaseRun = [i32; 4];

static ASCII_LOWER: &[CaseRun] = &[[65, 90, 1, 32]];
static ASCII_UPPER: &[CaseRun] = &[[97, 122, 1, -32]];
static UNICODE5_LOWER: &[CaseRun] = unicode5::LOWER.as_chunks::<4>().0;
static UNICODE14_LOWER: &[CaseRun] = unicode14::LOWER.as_chunks::<4>().0;
static UNICODE14_UPPER: &[CaseRun] = unicode14::UPPER.as_chunks::<4>().0;

fn mapped(runs: &[CaseRun], c: u32) -> u32 {
    let Ok(signed) = i32::try_from(c) else { return c };
    let after = runs.partition_point(|[_, last, ..]| *last < signed);
    match runs.get(after) {
        Some([first, _, step, distance]) if signed >= *first && (signed - first) % step == 0 => {
            c.saturating_add_signed(*distance)
        }
        _ => c,
    }
}

/// The characters of `runs` from `low` to `high`, with their other case.
pub(super) fn mappings(
    runs: &'static [CaseRun],
    low: u32,
    high: u32,
) -> impl Iterator<Item = (u32, u32)> {
    let low = i32::try_from(low).unwrap_or(i32::MAX);
    let high = i32::try_from(high).unwrap_or(i32::MAX);
    let start = runs.partition_point(move |[_, last, ..]| *last < low);
    let inside = runs.iter().skip(start).take_while(move |[first, ..]| *first <= high);
    inside.flat_map(move |[first, last, step, distance]| {
        // The run's first character at or after `low`.
        let start = first + ((low - first).max(0) + step - 1) / step * step;
        (start..=*last.min(&high))
            .step_by(usize::try_from(*step).unwrap_or(1))
            .map(move |c| (c.unsigned_abs(), (c + distance).unsigned_abs()))
    })
}
