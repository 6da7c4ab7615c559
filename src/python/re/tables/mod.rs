//! Character tables of the two Pythons, as written by `tools/gen_unicode.py`.

pub(super) mod unicode14;
pub(super) mod unicode5;
