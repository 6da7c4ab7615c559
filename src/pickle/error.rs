//! Why a pickle could not be read, and where.

use std::{error, fmt, io};

/// A pickle that could not be read.
#[derive(Debug)]
pub struct Error {
    /// Bytes from the start of the pickle to the opcode that failed or is missing.
    pub offset: u64,
    /// What was wrong there.
    pub kind: ErrorKind,
}

/// What was wrong with a pickle.
///
/// All but [`ErrorKind::Io`], [`ErrorKind::Limit`] and [`ErrorKind::Unsupported`] stand for an
/// exception of Python's unpickler after which Mailman turns to its next file
/// (`MailList.Load`).
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The source could not be read.
    Io(io::Error),
    /// The pickle ends before its STOP.
    Truncated,
    /// No opcode of protocols 0 to 5.
    Opcode(u8),
    /// An opcode wants more items than lie on the stack (or above the last mark).
    StackUnderflow,
    /// An opcode wants a mark and there is none.
    NoMark,
    /// A memo number that was never put.
    Memo(u64),
    /// A key without a value.
    OddItems,
    /// A number that Python could not parse.
    Number,
    /// A string that is not quoted, escaped or encoded as its opcode demands.
    Text,
    /// A length that is negative.
    Length,
    /// A list, dict, set or instance as a key or in a set.
    Unhashable,
    /// An opcode works on a value of another type than it needs.
    Type(&'static str),
    /// The pickle holds something else than a dict.
    NotADict,
    /// More than [`crate::limits`] allow.
    Limit(&'static str),
    /// Pickle features that Mailman's files do not use.
    Unsupported(&'static str),
    /// A value that contains itself.
    Recursive,
}

impl Error {
    pub(crate) fn new(offset: u64, kind: ErrorKind) -> Self {
        Error { offset, kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.kind)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorKind::Io(e) => write!(f, "cannot read: {e}"),
            ErrorKind::Truncated => f.write_str("the pickle is cut off"),
            ErrorKind::Opcode(op) => write!(f, "no pickle opcode: 0x{op:02x}"),
            ErrorKind::StackUnderflow => f.write_str("too few items on the stack"),
            ErrorKind::NoMark => f.write_str("no mark on the stack"),
            ErrorKind::Memo(n) => write!(f, "memo {n} was never put"),
            ErrorKind::OddItems => f.write_str("a key without a value"),
            ErrorKind::Number => f.write_str("not a number"),
            ErrorKind::Text => f.write_str("badly quoted or encoded string"),
            ErrorKind::Length => f.write_str("negative length"),
            ErrorKind::Unhashable => f.write_str("a key that cannot be hashed"),
            ErrorKind::Type(what) => write!(f, "wrong type: {what}"),
            ErrorKind::NotADict => f.write_str("the pickle does not hold a dict"),
            ErrorKind::Limit(what) => write!(f, "beyond the limit on {what}"),
            ErrorKind::Unsupported(what) => write!(f, "unsupported: {what}"),
            ErrorKind::Recursive => f.write_str("a value contains itself"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io(e) => Some(e),
            _ => None,
        }
    }
}
