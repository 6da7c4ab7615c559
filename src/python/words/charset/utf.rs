//! UTF-8, UTF-16 and UTF-32 as Python 2.7 decodes them.

use super::DecodeError;

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The order of a number's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

/// UTF-8. Other decoders replace the longest beginning of a sequence; this one also the whole of
/// a truncated sequence at the end, and it lets surrogates through, which cannot be told here.
pub(super) fn decode_8(bytes: &[u8], text: &mut String) -> Result<(), DecodeError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let valid = longest_valid(rest);
        text.push_str(valid);
        rest = rest.get(valid.len()..).unwrap_or_default();
        let Some(&first) = rest.first() else { break };
        if has_surrogate_first(rest) {
            return Err(DecodeError::Untold);
        }
        text.push(REPLACEMENT);
        rest = rest.get(invalid_length(first, rest)..).unwrap_or_default();
    }
    Ok(())
}

fn longest_valid(bytes: &[u8]) -> &str {
    // Chunks end at the first error, so that hostile text is looked at once, not again and again.
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

fn has_surrogate_first(bytes: &[u8]) -> bool {
    matches!(bytes, [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..])
}

/// Bytes that one U+FFFD stands for, where something invalid begins with this byte.
fn invalid_length(first: u8, bytes: &[u8]) -> usize {
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return 1,
    };
    let continued = bytes.iter().skip(1).take_while(|&&byte| byte & 0xc0 == 0x80).count();
    if bytes.len() < length { 1 + continued } else { 1 + continued.min(length - 2) }
}

/// The byte order that a mark at the beginning tells, and what follows the mark.
fn told_order(bytes: &[u8], big: &[u8], little: &[u8]) -> (Order, usize) {
    if bytes.starts_with(big) {
        (Order::Big, big.len())
    } else if bytes.starts_with(little) {
        (Order::Little, little.len())
    } else {
        (Order::Little, 0)
    }
}

/// UTF-16; None: the order is told by a mark, else little endian, as on every machine that Debian
/// supports but s390x.
pub(super) fn decode_16(bytes: &[u8], order: Option<Order>, text: &mut String) {
    let (order, mark) =
        order.map_or_else(|| told_order(bytes, b"\xfe\xff", b"\xff\xfe"), |o| (o, 0));
    let (pairs, odd) = bytes.get(mark..).unwrap_or_default().as_chunks::<2>();
    let unit = |&pair: &[u8; 2]| match order {
        Order::Big => u16::from_be_bytes(pair),
        Order::Little => u16::from_le_bytes(pair),
    };
    let ends_unpaired = match pairs {
        [.., before, last] if (0xdc00..=0xdfff).contains(&unit(last)) => {
            !(0xd800..=0xdbff).contains(&unit(before))
        }
        [.., last] => (0xd800..=0xdfff).contains(&unit(last)),
        [] => false,
    };
    text.extend(char::decode_utf16(pairs.iter().map(unit)).map(|c| c.unwrap_or(REPLACEMENT)));
    // A lone surrogate at the end is replaced together with the odd byte.
    if !odd.is_empty() && !ends_unpaired {
        text.push(REPLACEMENT);
    }
}

/// UTF-32; see [`decode_16`]. Surrogates come through in Python, and cannot be told here.
pub(super) fn decode_32(
    bytes: &[u8],
    order: Option<Order>,
    text: &mut String,
) -> Result<(), DecodeError> {
    let marks = (b"\0\0\xfe\xff", b"\xff\xfe\0\0");
    let (order, mark) = order.map_or_else(|| told_order(bytes, marks.0, marks.1), |o| (o, 0));
    let (quads, odd) = bytes.get(mark..).unwrap_or_default().as_chunks::<4>();
    for &quad in quads {
        let point = match order {
            Order::Big => u32::from_be_bytes(quad),
            Order::Little => u32::from_le_bytes(quad),
        };
        match char::from_u32(point) {
            Some(c) => text.push(c),
            None if point > 0x10_ffff => text.push(REPLACEMENT),
            None => return Err(DecodeError::Untold),
        }
    }
    if !odd.is_empty() {
        text.push(REPLACEMENT);
    }
    Ok(())
}
