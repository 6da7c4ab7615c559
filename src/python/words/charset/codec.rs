//! The ways in which Python 2.7 makes text of bytes.

use super::DecodeError;
use super::double::Double;
use super::iso_2022_jp;
use super::single_byte::SingleByte;
use super::utf::{self, Order};
use super::utf_7;

/// What a charset's name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Codec {
    Ascii,
    Latin1,
    SingleByte(&'static SingleByte),
    Utf8,
    /// UTF-8 whose first byte order mark is left out.
    Utf8Sig,
    /// In this order of bytes; None: as the mark at the beginning says, else little endian.
    Utf16(Option<Order>),
    Utf32(Option<Order>),
    /// One or two bytes a character.
    EastAsian(&'static Double),
    Iso2022Jp,
    Utf7,
    /// Not for text, or not with `replace`: `unicode()` raises.
    Raises,
    /// Followed only where the bytes are ASCII that means the same in all of these.
    Plain,
    /// The same, where bytes that are no ASCII are errors, each by itself.
    SevenBit,
    /// Not followed here.
    Untold,
}

impl Codec {
    /// Appends the text of these bytes, errors replaced by U+FFFD.
    pub(super) fn decode(self, bytes: &[u8], text: &mut String) -> Result<(), DecodeError> {
        match self {
            Codec::Ascii => text.extend(bytes.iter().map(|&byte| ascii(byte))),
            Codec::Latin1 => text.extend(bytes.iter().map(|&byte| char::from(byte))),
            Codec::SingleByte(table) => table.decode(bytes, text),
            Codec::Utf8 => return utf::decode_8(bytes, text),
            Codec::Utf8Sig => {
                return utf::decode_8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), text);
            }
            Codec::Utf16(order) => utf::decode_16(bytes, order, text),
            Codec::Utf32(order) => return utf::decode_32(bytes, order, text),
            Codec::EastAsian(charset) => return charset.decode(bytes, text),
            Codec::Iso2022Jp => return iso_2022_jp::decode(bytes, text),
            Codec::Utf7 => return utf_7::decode(bytes, text),
            Codec::Plain if bytes.iter().all(|byte| is_plain(*byte)) => {
                text.extend(bytes.iter().map(|&byte| char::from(byte)));
            }
            Codec::SevenBit if bytes.iter().all(|byte| !byte.is_ascii() || is_plain(*byte)) => {
                text.extend(bytes.iter().map(|&byte| ascii(byte)));
            }
            Codec::Plain | Codec::SevenBit => return Err(DecodeError::Untold),
            Codec::Raises => return Err(DecodeError::Raises),
            Codec::Untold => return Err(DecodeError::Untold),
        }
        Ok(())
    }
}

/// Neither a shift or an escape of any of the stateful charsets, nor one of the two characters that
/// Shift JIS has others for.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, 0x0e | 0x0f | 0x1b | b'\\' | b'~')
}

fn ascii(byte: u8) -> char {
    if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER }
}

impl SingleByte {
    fn decode(&self, bytes: &[u8], text: &mut String) {
        let half = |half: &str| half.chars().collect::<Vec<char>>();
        let mut table = self.low.map_or_else(|| (0..128_u8).map(char::from).collect(), half);
        table.extend(self.high.chars());
        let character = |&byte: &u8| table.get(usize::from(byte)).copied();
        text.extend(
            bytes.iter().map(|byte| character(byte).unwrap_or(char::REPLACEMENT_CHARACTER)),
        );
    }
}
