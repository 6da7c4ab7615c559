//! East Asian charsets.

use super::DecodeError;

/// A charset of one or two bytes a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Double {
    Big5,
    Cp950,
    Gb2312,
    Gbk,
    Gb18030,
    EucKr,
    Cp949,
    ShiftJis,
    Cp932,
    EucJp,
}

impl Double {
    pub(super) fn decode(self, _bytes: &[u8], _text: &mut String) -> Result<(), DecodeError> {
        Err(DecodeError::Untold)
    }
}

pub(super) fn decode_iso_2022_jp(_bytes: &[u8], _text: &mut String) -> Result<(), DecodeError> {
    Err(DecodeError::Untold)
}
