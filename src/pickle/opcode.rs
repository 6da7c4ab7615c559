//! The opcodes of pickle protocols 0 to 5: what follows them and what they do to the stack.
//!
//! Source: CPython's `Lib/pickletools.py`.

#![allow(missing_docs, reason = "the constants carry the names of CPython's pickle.py")]

pub(crate) const MARK: u8 = b'(';
pub(crate) const STOP: u8 = b'.';
pub(crate) const POP: u8 = b'0';
pub(crate) const POP_MARK: u8 = b'1';
pub(crate) const DUP: u8 = b'2';
pub(crate) const FLOAT: u8 = b'F';
pub(crate) const INT: u8 = b'I';
pub(crate) const BININT: u8 = b'J';
pub(crate) const BININT1: u8 = b'K';
pub(crate) const LONG: u8 = b'L';
pub(crate) const BININT2: u8 = b'M';
pub(crate) const NONE: u8 = b'N';
pub(crate) const PERSID: u8 = b'P';
pub(crate) const BINPERSID: u8 = b'Q';
pub(crate) const REDUCE: u8 = b'R';
pub(crate) const STRING: u8 = b'S';
pub(crate) const BINSTRING: u8 = b'T';
pub(crate) const SHORT_BINSTRING: u8 = b'U';
pub(crate) const UNICODE: u8 = b'V';
pub(crate) const BINUNICODE: u8 = b'X';
pub(crate) const APPEND: u8 = b'a';
pub(crate) const BUILD: u8 = b'b';
pub(crate) const GLOBAL: u8 = b'c';
pub(crate) const DICT: u8 = b'd';
pub(crate) const EMPTY_DICT: u8 = b'}';
pub(crate) const APPENDS: u8 = b'e';
pub(crate) const GET: u8 = b'g';
pub(crate) const BINGET: u8 = b'h';
pub(crate) const INST: u8 = b'i';
pub(crate) const LONG_BINGET: u8 = b'j';
pub(crate) const LIST: u8 = b'l';
pub(crate) const EMPTY_LIST: u8 = b']';
pub(crate) const OBJ: u8 = b'o';
pub(crate) const PUT: u8 = b'p';
pub(crate) const BINPUT: u8 = b'q';
pub(crate) const LONG_BINPUT: u8 = b'r';
pub(crate) const SETITEM: u8 = b's';
pub(crate) const TUPLE: u8 = b't';
pub(crate) const EMPTY_TUPLE: u8 = b')';
pub(crate) const SETITEMS: u8 = b'u';
pub(crate) const BINFLOAT: u8 = b'G';
pub(crate) const BINBYTES: u8 = b'B';
pub(crate) const SHORT_BINBYTES: u8 = b'C';
pub(crate) const PROTO: u8 = 0x80;
pub(crate) const NEWOBJ: u8 = 0x81;
pub(crate) const EXT1: u8 = 0x82;
pub(crate) const EXT2: u8 = 0x83;
pub(crate) const EXT4: u8 = 0x84;
pub(crate) const TUPLE1: u8 = 0x85;
pub(crate) const TUPLE2: u8 = 0x86;
pub(crate) const TUPLE3: u8 = 0x87;
pub(crate) const NEWTRUE: u8 = 0x88;
pub(crate) const NEWFALSE: u8 = 0x89;
pub(crate) const LONG1: u8 = 0x8a;
pub(crate) const LONG4: u8 = 0x8b;
pub(crate) const SHORT_BINUNICODE: u8 = 0x8c;
pub(crate) const BINUNICODE8: u8 = 0x8d;
pub(crate) const BINBYTES8: u8 = 0x8e;
pub(crate) const EMPTY_SET: u8 = 0x8f;
pub(crate) const ADDITEMS: u8 = 0x90;
pub(crate) const FROZENSET: u8 = 0x91;
pub(crate) const NEWOBJ_EX: u8 = 0x92;
pub(crate) const STACK_GLOBAL: u8 = 0x93;
pub(crate) const MEMOIZE: u8 = 0x94;
pub(crate) const FRAME: u8 = 0x95;
pub(crate) const BYTEARRAY8: u8 = 0x96;
pub(crate) const NEXT_BUFFER: u8 = 0x97;
pub(crate) const READONLY_BUFFER: u8 = 0x98;

/// What follows an opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// This many bytes: nothing, or one number.
    Fixed(u8),
    /// A little-endian length of this many bytes, then that many bytes.
    Counted(u8),
    /// Text up to a newline.
    Line,
    /// Two such lines.
    TwoLines,
}

/// What an opcode does to the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Nothing,
    /// Pushes a value that its own bytes hold.
    Push,
    /// Pushes what the memo has under its number.
    Get,
    /// Files the top of the stack in the memo.
    Put,
    /// Pushes a mark.
    Mark,
    /// Takes this many items and pushes what it makes of them.
    Replace(u8),
    /// Takes this many items and changes the one below them.
    Mutate(u8),
    /// Takes all items above the last mark and pushes what it makes of them.
    Gather,
    /// Takes all items above the last mark and changes the one below it.
    Extend,
    /// Drops an item, or a mark that is on top.
    Pop,
    /// Drops all items above the last mark.
    PopMark,
    /// Pushes the top of the stack again.
    Dup,
    /// Ends the pickle.
    Stop,
    /// Needs what Mailman's files never have.
    Unsupported(&'static str),
}

/// The layout of an opcode's argument; `None` for a byte that is no opcode.
pub(crate) fn layout(code: u8) -> Option<Layout> {
    Some(match code {
        MARK | STOP | POP | POP_MARK | DUP | NONE | BINPERSID | REDUCE | APPEND | BUILD | DICT
        | EMPTY_DICT | APPENDS | LIST | EMPTY_LIST | OBJ | SETITEM | TUPLE | EMPTY_TUPLE
        | SETITEMS => Layout::Fixed(0),
        NEWOBJ | TUPLE1 | TUPLE2 | TUPLE3 | NEWTRUE | NEWFALSE | EMPTY_SET | ADDITEMS
        | FROZENSET | NEWOBJ_EX | STACK_GLOBAL | MEMOIZE | NEXT_BUFFER | READONLY_BUFFER => {
            Layout::Fixed(0)
        }
        BININT1 | BINGET | BINPUT | PROTO | EXT1 => Layout::Fixed(1),
        BININT2 | EXT2 => Layout::Fixed(2),
        BININT | LONG_BINGET | LONG_BINPUT | EXT4 => Layout::Fixed(4),
        BINFLOAT | FRAME => Layout::Fixed(8),
        SHORT_BINSTRING | SHORT_BINBYTES | SHORT_BINUNICODE | LONG1 => Layout::Counted(1),
        BINSTRING | BINUNICODE | BINBYTES | LONG4 => Layout::Counted(4),
        BINUNICODE8 | BINBYTES8 | BYTEARRAY8 => Layout::Counted(8),
        FLOAT | INT | LONG | STRING | UNICODE | GET | PUT | PERSID => Layout::Line,
        GLOBAL | INST => Layout::TwoLines,
        _ => return None,
    })
}

/// What the opcode does to the stack; only for bytes that have a [`layout`].
pub(crate) fn effect(code: u8) -> Effect {
    match code {
        PROTO | FRAME => Effect::Nothing,
        GET | BINGET | LONG_BINGET => Effect::Get,
        PUT | BINPUT | LONG_BINPUT | MEMOIZE => Effect::Put,
        MARK => Effect::Mark,
        TUPLE1 => Effect::Replace(1),
        TUPLE2 | REDUCE | NEWOBJ | STACK_GLOBAL => Effect::Replace(2),
        TUPLE3 | NEWOBJ_EX => Effect::Replace(3),
        APPEND | BUILD => Effect::Mutate(1),
        SETITEM => Effect::Mutate(2),
        TUPLE | LIST | DICT | FROZENSET | INST | OBJ => Effect::Gather,
        APPENDS | SETITEMS | ADDITEMS => Effect::Extend,
        POP => Effect::Pop,
        POP_MARK => Effect::PopMark,
        DUP => Effect::Dup,
        STOP => Effect::Stop,
        PERSID | BINPERSID => Effect::Unsupported("persistent ids"),
        EXT1 | EXT2 | EXT4 => Effect::Unsupported("extension codes"),
        NEXT_BUFFER | READONLY_BUFFER => Effect::Unsupported("out-of-band buffers"),
        _ => Effect::Push,
    }
}

/// A string of which type an opcode pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StringKind {
    /// Python 2's `str`: bytes there; Python 3 decodes it.
    Str,
    /// Python 3's `bytes`.
    Bytes,
    /// `unicode`, Python 3's `str`.
    Text,
}

/// The type of string that the opcode pushes; `None` if it pushes something else.
pub(crate) fn string_kind(code: u8) -> Option<StringKind> {
    match code {
        STRING | BINSTRING | SHORT_BINSTRING => Some(StringKind::Str),
        BINBYTES | SHORT_BINBYTES | BINBYTES8 => Some(StringKind::Bytes),
        UNICODE | BINUNICODE | SHORT_BINUNICODE | BINUNICODE8 => Some(StringKind::Text),
        _ => None,
    }
}
