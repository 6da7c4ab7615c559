//! `binascii` of Python 2.7, as far as mail needs it in more than one place.

/// `binascii.a2b_base64`; None for "Incorrect padding".
///
/// Bytes that are not in the alphabet are skipped. Padding ends the data, but only where it can
/// stand: behind three characters of a group, or behind two if another `=` is the next byte that
/// is not skipped.
pub(super) fn a2b_base64(text: &[u8]) -> Option<Vec<u8>> {
    let (decoded, is_complete) = base64_beginning(text);
    is_complete.then_some(decoded)
}

/// The same, of text that may be cut off: what it begins with, and whether no bits are left over.
pub(super) fn base64_beginning(text: &[u8]) -> (Vec<u8>, bool) {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut group = Bits::default();
    let mut in_group = 0;
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        if in_group == 0
            && let Some((three, behind)) = base64_group(rest)
        {
            decoded.extend_from_slice(&three);
            rest = behind;
            continue;
        }
        rest = behind;
        if *byte == b'=' {
            let ends = in_group == 3 || (in_group == 2 && next_is_padding(behind));
            if ends {
                return (decoded, true);
            }
        } else if let Some(value) = base64_digit(*byte) {
            in_group = (in_group + 1) % 4;
            decoded.extend(group.push(value));
        }
    }
    (decoded, in_group == 0)
}

/// Four digits that follow each other, the usual case: their three bytes, and what is behind.
fn base64_group(text: &[u8]) -> Option<([u8; 3], &[u8])> {
    let (four, behind) = text.split_first_chunk::<4>()?;
    let [a, b, c, d] = four.map(|byte| base64_digit(byte).map_or(u32::MAX, u32::from));
    let bits = a << 18 | b << 12 | c << 6 | d;
    let [_, three @ ..] = bits.to_be_bytes();
    ((a | b | c | d) < 64).then_some((three, behind))
}

fn next_is_padding(text: &[u8]) -> bool {
    text.iter().find(|&&byte| byte == b'=' || base64_digit(byte).is_some()) == Some(&b'=')
}

/// The six bits that this character of the alphabet stands for.
pub(super) fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Six bits in, eight out.
#[derive(Debug, Default)]
pub(super) struct Bits {
    held: u16,
    count: u8,
}

impl Bits {
    /// The next byte, once it is complete.
    pub(super) fn push(&mut self, six: u8) -> Option<u8> {
        self.held = self.held << 6 | u16::from(six);
        self.count += 6;
        if self.count < 8 {
            return None;
        }
        self.count -= 8;
        let byte = self.held >> self.count;
        self.held &= (1 << self.count) - 1;
        u8::try_from(byte).ok()
    }
}
