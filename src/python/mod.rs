//! What Python's standard library answers, exactly, on hostile input.
//!
//! Mailman 2.1 runs on Python 2.7, its port 2.2 on Python 3. Their verdicts follow their
//! interpreter's address parser and `re`, which no crate copies (see `NOTICE` for the algorithms'
//! origin). Nothing here knows of Mailman.

pub mod addresses;
mod binascii;
pub mod literal;
pub mod message;
pub mod percent;
pub mod re;
pub mod text;
pub mod words;

/// The generation of Python that runs the Mailman at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Python {
    /// Python 2.7: strings are bytes.
    Two,
    /// Python 3 (3.11 where minor versions differ): strings are Unicode.
    Three,
}
