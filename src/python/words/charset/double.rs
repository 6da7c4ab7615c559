//! East Asian charsets as Python 2.7 decodes them: `encoding_rs` where it agrees for the character
//! at hand, tables where it does not.
//!
//! Measured over all pairs, Python's characters against those of `encoding_rs`:
//!
//! | Python | the same | others | pairs that Python lacks |
//! |---|---|---|---|
//! | `cp932` (Shift_JIS) | 9,604 | 0 | 0 |
//! | `cp949` (EUC-KR) | 17,048 | 0 | 0 |
//! | `euc_kr` (EUC-KR) | 8,225 | 0 | 8,823 |
//! | `gbk` (GBK) | 21,791 | 0 | 2,149 |
//! | `gb2312` (GBK) | 7,443 | 2 | 16,495 |
//! | `gb18030` (gb18030) | 23,920 | 20, and one of four bytes | 0 |
//! | `shift_jis` (Shift_JIS) | 6,873 | 6 | 2,725 |
//! | `euc_jp` (EUC-JP) | 6,936 | 6, and one of three bytes | 457 |
//! | `big5` (Big5) | 13,450 | 260 | 4,880 |
//! | `cp950` (Big5) | 13,502 | 250 | 4,838 |
//!
//! What malformed text becomes is Python's here throughout: a pair that is no character takes two
//! bytes, where `encoding_rs` keeps an ASCII one.

use encoding_rs::Encoding;

use super::{DecodeError, jamo};

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// A charset with ASCII, and of two bytes a character from 0x80 on, with exceptions.
#[derive(Debug)]
pub(super) struct Double {
    /// The encoding that has the same characters.
    pub(super) encoding: &'static Encoding,
    pub(super) kind: Kind,
    /// First and last of pairs that only that encoding has; it may have none in between. Sorted.
    pub(super) absent: &'static [(u16, u16)],
    /// First of the pairs whose characters, in a row, are others in Python. Sorted.
    pub(super) other: &'static [(u16, &'static str)],
}

/// The exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// None.
    Plain,
    /// Half-width kana in one byte.
    ShiftJis,
    /// The same, and Microsoft's four single bytes.
    Cp932,
    /// JIS X 0212 in three bytes.
    EucJp,
    /// Four bytes if the second is a digit.
    Gb18030,
    /// Syllables composed of jamos in eight bytes.
    EucKr,
}

impl Double {
    /// Appends the text. A pair that is no character is one U+FFFD, whatever its second byte;
    /// so is what is cut off at the end.
    pub(super) fn decode(&self, bytes: &[u8], text: &mut String) -> Result<(), DecodeError> {
        let mut rest = bytes;
        while let Some((&first, after)) = rest.split_first() {
            if let Some(c) = self.single(first) {
                text.push(c);
                rest = after;
                continue;
            }
            let length = self.length(rest);
            let Some((sequence, following)) = rest.split_at_checked(length) else {
                if self.kind != Kind::EucKr && length > 2 {
                    return Err(DecodeError::Untold);
                }
                text.push(REPLACEMENT);
                break;
            };
            text.push(self.character(sequence)?);
            rest = following;
        }
        Ok(())
    }

    /// The character that this byte is by itself.
    fn single(&self, byte: u8) -> Option<char> {
        let has_kana = matches!(self.kind, Kind::ShiftJis | Kind::Cp932);
        let point = match (byte, self.kind) {
            (0..=0x7f, _) => u32::from(byte),
            (0xa1..=0xdf, _) if has_kana => u32::from(byte) - 0xa1 + 0xff61,
            (0x80, Kind::Cp932) => 0x80,
            (0xa0, Kind::Cp932) => 0xf8f0,
            (0xfd..=0xff, Kind::Cp932) => u32::from(byte) - 0xfd + 0xf8f1,
            _ => return None,
        };
        char::from_u32(point)
    }

    fn length(&self, bytes: &[u8]) -> usize {
        match (self.kind, bytes) {
            (Kind::EucJp, [0x8f, ..]) => 3,
            (Kind::Gb18030, [_, b'0'..=b'9', ..]) => 4,
            (Kind::EucKr, [first, second, ..])
                if u16::from_be_bytes([*first, *second]) == jamo::FILLER =>
            {
                jamo::LENGTH
            }
            _ => 2,
        }
    }

    pub(super) fn character(&self, sequence: &[u8]) -> Result<char, DecodeError> {
        let Ok(pair) = <[u8; 2]>::try_from(sequence) else { return self.long(sequence) };
        let pair = u16::from_be_bytes(pair);
        if let Some(c) = self.other(pair) {
            return Ok(c);
        }
        if self.is_absent(pair) {
            return Ok(REPLACEMENT);
        }
        Ok(self.same(sequence).unwrap_or(REPLACEMENT))
    }

    /// More than two bytes. Three or four are told if they are a character, but for two where
    /// Python has another.
    fn long(&self, sequence: &[u8]) -> Result<char, DecodeError> {
        if self.kind == Kind::EucKr {
            return Ok(jamo::syllable(sequence).unwrap_or(REPLACEMENT));
        }
        let is_other = matches!(sequence, [0x81, 0x35, 0xf4, 0x37] | [0x8f, 0xa2, 0xb7]);
        let same = if is_other { None } else { self.same(sequence) };
        same.ok_or(DecodeError::Untold)
    }

    /// The one character that this is in the other encoding.
    fn same(&self, sequence: &[u8]) -> Option<char> {
        let text = self.encoding.decode_without_bom_handling_and_without_replacement(sequence)?;
        let mut characters = text.chars();
        characters.next().filter(|_| characters.next().is_none())
    }

    fn other(&self, pair: u16) -> Option<char> {
        let after = self.other.partition_point(|&(first, _)| first <= pair);
        let &(first, characters) = self.other.get(after.checked_sub(1)?)?;
        characters.chars().nth(usize::from(pair - first))
    }

    fn is_absent(&self, pair: u16) -> bool {
        let after = self.absent.partition_point(|&(first, _)| first <= pair);
        let range = after.checked_sub(1).and_then(|at| self.absent.get(at));
        range.is_some_and(|&(_, last)| pair <= last)
    }
}
