//! Hangul syllables that KS X 1001 lacks, composed of jamos: eight bytes in Python's `euc_kr`.

/// The jamo filler, which such a sequence begins with and which stands for no final consonant.
pub(super) const FILLER: u16 = 0xa4d4;
/// Bytes of such a sequence.
pub(super) const LENGTH: usize = 8;

/// Second bytes of the consonants that may begin a syllable, in the order of Unicode's syllables.
const INITIALS: [u8; 19] = [
    0xa1, 0xa2, 0xa4, 0xa7, 0xa8, 0xa9, 0xb1, 0xb2, 0xb3, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb,
    0xbc, 0xbd, 0xbe,
];
/// Of the consonants from the first to the last, those that cannot end a syllable.
const NEVER_FINAL: [u8; 3] = [0xa8, 0xb3, 0xb9];

/// The syllable that this sequence (filler, initial, vowel, final) is.
pub(super) fn syllable(sequence: &[u8]) -> Option<char> {
    let &[0xa4, 0xd4, 0xa4, initial, 0xa4, vowel, 0xa4, last] = sequence else { return None };
    let initial = INITIALS.iter().position(|&byte| byte == initial)?;
    let vowel = matches!(vowel, 0xbf..=0xd3).then(|| vowel - 0xbf)?;
    let syllable = (initial * 21 + usize::from(vowel)) * 28 + final_index(last)?;
    char::from_u32(0xac00 + u32::try_from(syllable).ok()?)
}

fn final_index(byte: u8) -> Option<usize> {
    match byte {
        0xd4 => Some(0),
        0xa1..=0xbe if !NEVER_FINAL.contains(&byte) => {
            Some((0xa1..=byte).filter(|consonant| !NEVER_FINAL.contains(consonant)).count())
        }
        _ => None,
    }
}
