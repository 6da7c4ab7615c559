//! Bytes at any offset, seen through a buffer that moves over them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::error::{Error, ErrorKind};
use super::opcode::{self, Layout};
use crate::limits;

/// Something that can be read at any offset, such as a file.
///
/// Files are read, not mapped: a file cut short by someone else while it is mapped would end
/// the process by SIGBUS.
pub trait ReadAt {
    /// Reads bytes from `offset` on into `buf` and says how many; 0 at the end.
    ///
    /// # Errors
    /// Whatever the underlying read reports.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buf, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// Zero bytes behind the last one read, so that the walk may look at a whole opcode at once.
pub(crate) const PADDING: usize = 24;

/// Bytes to read at first.
const FIRST_READ: usize = 8 << 10;

/// A part of a source, held in memory.
pub(crate) struct Window<'s, R: ?Sized> {
    source: &'s R,
    /// The bytes, then [`PADDING`], then room.
    buffer: Vec<u8>,
    /// Bytes to read at a time.
    capacity: usize,
    /// The offset of the first byte in `buffer`.
    base: u64,
    /// How many bytes of `buffer` were read.
    filled: usize,
    /// Whether the source ends after them.
    at_end: bool,
}

/// One opcode with its argument, still in the window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Op<'w> {
    pub(crate) code: u8,
    /// Where the opcode lies.
    pub(crate) at: u64,
    /// Where the next opcode lies.
    pub(crate) end: u64,
    pub(crate) arg: Arg<'w>,
}

/// An opcode's argument.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arg<'w> {
    /// A little-endian number, or 0 for no argument.
    Number(u64),
    /// Counted bytes, which end where the opcode ends. They need not lie in the window.
    Body { start: u64, len: u64 },
    /// A line without its newline.
    Line(&'w [u8]),
    /// Two lines without their newlines.
    Lines(&'w [u8], &'w [u8]),
}

impl<'s, R: ReadAt + ?Sized> Window<'s, R> {
    /// A window that reads `capacity` bytes at a time.
    pub(crate) fn new(source: &'s R, capacity: usize) -> Self {
        let capacity = capacity.max(PADDING);
        let buffer = Vec::new();
        Window { source, buffer, capacity, base: 0, filled: 0, at_end: false }
    }

    /// Where the window begins.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// Whether the source ends where the window does.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// The bytes it holds, and at the end of the source [`PADDING`] zeros after them.
    pub(crate) fn bytes(&self) -> &[u8] {
        let len = if self.at_end { self.filled + PADDING } else { self.filled };
        self.buffer.get(..len).unwrap_or_default()
    }

    /// `len` bytes from `start` on, if all of them lie in the window.
    pub(crate) fn slice(&self, start: u64, len: u64) -> Option<&[u8]> {
        let from = usize::try_from(start.checked_sub(self.base)?).ok()?;
        let to = from.checked_add(usize::try_from(len).ok()?)?;
        if to <= self.filled { self.buffer.get(from..to) } else { None }
    }

    /// Moves the window so that it begins at `offset`.
    ///
    /// If it begins there already and is full, it grows: an opcode did not fit in.
    pub(crate) fn load(&mut self, offset: u64) -> Result<(), Error> {
        if offset > limits::PICKLE_BYTES {
            return Err(Error::new(offset, ErrorKind::Limit("the pickle's size")));
        }
        let mut want = self.capacity;
        if offset == self.base && self.filled >= want {
            want = self.filled.saturating_mul(2);
            if want > limits::PICKLE_LINE_BYTES {
                return Err(Error::new(offset, ErrorKind::Limit("one line")));
            }
        }
        self.fill(offset, want)
    }

    fn fill(&mut self, offset: u64, want: usize) -> Result<(), Error> {
        let kept = self.keep(offset, want);
        self.base = offset;
        self.filled = kept;
        self.at_end = false;
        while self.filled < want {
            let mut room = self.buffer.len().saturating_sub(PADDING);
            if room <= self.filled {
                // By and by: most lists are small, and every page that is touched costs time.
                room = (2 * room).max(FIRST_READ).min(want);
                self.buffer.resize(room + PADDING, 0);
            }
            let Some(room) = self.buffer.get_mut(self.filled..room.min(want)) else { break };
            match self.source.read_at(room, offset + self.filled as u64) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => self.filled += count.min(want - self.filled),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::new(offset, ErrorKind::Io(e))),
            }
        }
        if let Some(padding) = self.buffer.get_mut(self.filled..self.filled + PADDING) {
            padding.fill(0);
        }
        Ok(())
    }

    /// Moves the bytes that the window already has from `offset` on to its start.
    fn keep(&mut self, offset: u64, want: usize) -> usize {
        let from = offset.checked_sub(self.base).and_then(|from| usize::try_from(from).ok());
        match from {
            Some(from) if from < self.filled && self.filled - from <= want => {
                self.buffer.copy_within(from..self.filled, 0);
                self.filled - from
            }
            _ => 0,
        }
    }

    /// The opcode at `offset`, after moving the window there if need be.
    pub(crate) fn op(&mut self, offset: u64) -> Result<Op<'_>, Error> {
        while self.decode(offset)?.is_none() {
            self.need(offset)?;
        }
        self.decode(offset)?.ok_or_else(|| Error::new(offset, ErrorKind::Truncated))
    }

    /// Reads more of what begins at `offset`.
    pub(crate) fn need(&mut self, offset: u64) -> Result<(), Error> {
        if self.at_end && offset >= self.base {
            return Err(Error::new(offset, ErrorKind::Truncated));
        }
        self.load(offset)
    }

    /// The opcode at `offset`, if the window holds it (counted bytes aside).
    pub(crate) fn decode(&self, offset: u64) -> Result<Option<Op<'_>>, Error> {
        let rest = offset
            .checked_sub(self.base)
            .and_then(|at| usize::try_from(at).ok())
            .and_then(|at| self.buffer.get(at..self.filled))
            .unwrap_or_default();
        let Some((&code, rest)) = rest.split_first() else { return Ok(None) };
        let layout =
            opcode::layout(code).ok_or_else(|| Error::new(offset, ErrorKind::Opcode(code)))?;
        let after = offset + 1;
        let found = match layout {
            Layout::Fixed(width) => {
                number(rest, width).map(|n| (Arg::Number(n), after + u64::from(width)))
            }
            Layout::Counted(width) => match number(rest, width) {
                Some(len) => {
                    check_length(code, len).map_err(|kind| Error::new(offset, kind))?;
                    let start = after + u64::from(width);
                    Some((Arg::Body { start, len }, start + len))
                }
                None => None,
            },
            Layout::Line => line(rest).map(|l| (Arg::Line(l), after + l.len() as u64 + 1)),
            Layout::TwoLines => two_lines(rest)
                .map(|(a, b)| (Arg::Lines(a, b), after + a.len() as u64 + b.len() as u64 + 2)),
        };
        Ok(found.map(|(arg, end)| Op { code, at: offset, end, arg }))
    }

    /// Reads `len` bytes from `start` on, wherever the window is.
    pub(crate) fn copy(&self, start: u64, len: usize) -> Result<Vec<u8>, Error> {
        if let Some(bytes) = self.slice(start, len as u64) {
            return Ok(bytes.to_vec());
        }
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let have = bytes.len();
            bytes.resize(len.min(have + (1 << 16)), 0);
            let Some(room) = bytes.get_mut(have..) else { break };
            match self.source.read_at(room, start + have as u64) {
                Ok(0) => return Err(Error::new(start, ErrorKind::Truncated)),
                Ok(count) => bytes.truncate(have + count),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => bytes.truncate(have),
                Err(e) => return Err(Error::new(start, ErrorKind::Io(e))),
            }
        }
        Ok(bytes)
    }
}

fn check_length(code: u8, len: u64) -> Result<(), ErrorKind> {
    // Python reads these two as signed.
    if matches!(code, opcode::BINSTRING | opcode::LONG4) && len > 0x7fff_ffff {
        return Err(ErrorKind::Length);
    }
    if len > limits::PICKLE_STRING_BYTES {
        return Err(ErrorKind::Limit("one string"));
    }
    Ok(())
}

fn number(bytes: &[u8], width: u8) -> Option<u64> {
    let bytes = bytes.get(..usize::from(width))?;
    Some(bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

fn line(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..bytes.iter().position(|byte| *byte == b'\n')?)
}

fn two_lines(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = line(bytes)?;
    Some((first, line(bytes.get(first.len() + 1..)?)?))
}
