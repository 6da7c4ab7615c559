//! Every limit on hostile or broken input, in one place.
//!
//! They are far above what real lists, headers and patterns need, and low enough that a query
//! stays within its 20 seconds and a few megabytes of heap.

use std::time::Duration;

/// Bytes of a `config.pck` that are read: a list of a million members has about 100 MB. Opcodes
/// take a byte or more each, so this limits their number, too.
pub const PICKLE_BYTES: u64 = 1 << 30;
/// Values (of any kind) materialised from one pickle: the settings asked for, not the members.
pub const PICKLE_VALUES: usize = 1 << 18;
/// Bytes of all strings materialised from one pickle.
pub const PICKLE_VALUE_BYTES: usize = 4 << 20;
/// Bytes of one string inside a pickle, skipped ones included.
pub const PICKLE_STRING_BYTES: u64 = 1 << 28;
/// Bytes of one line (protocol 0) inside a pickle: its text strings are one line each.
pub const PICKLE_LINE_BYTES: usize = 4 << 20;
/// Nested marks and containers in a pickle.
pub const PICKLE_DEPTH: usize = 1_000;
/// Items on the pickle machine's stack (Python's pickler writes batches of 1,000).
pub const PICKLE_STACK: u64 = 1 << 24;
/// Memo numbers out of sequence that one pickle may use (Python's own are in sequence).
pub const PICKLE_LOOSE_MEMOS: usize = 1 << 16;
/// Bytes (or digits) of one number in a value: converting them takes time by their square.
pub const PICKLE_NUMBER_BYTES: usize = 4 << 10;
/// Keys of the top-level dict: a list has about 150.
pub const PICKLE_KEYS: usize = 1 << 12;
/// Classes that one pickle may name by STACK_GLOBAL (each once: the memo has it afterwards).
pub const PICKLE_CLASSES: usize = 1 << 12;
/// Opcodes scanned again to find what memo references refer to; each search counts as 64.
pub const PICKLE_RESCAN: u64 = 1 << 24;
/// Rounds of building values: a second and third follow containers shared with other keys.
pub const PICKLE_ROUNDS: usize = 8;
/// Steps of the pattern matcher for one whole query; about one second of CPython's time.
pub const PATTERN_STEPS: u64 = 100_000_000;
/// Nested groups in a pattern; CPython 2.7 gives up at about 495.
pub const PATTERN_DEPTH: usize = 495;
/// Characters of a pattern.
pub const PATTERN_CHARACTERS: usize = 256 << 10;
/// Attempts that the pattern matcher may have under way at once; 32 bytes each.
pub const PATTERN_FRAMES: usize = 1 << 16;
/// Group marks that it may have saved at once; 4 bytes each.
pub const PATTERN_SAVED_MARKS: usize = 1 << 18;
/// States of the automaton that a pattern may become in the `regex` crate, as estimated, and the
/// bytes that its program and its cache may have.
pub const PATTERN_AUTOMATON: u64 = 20_000;
/// See [`PATTERN_AUTOMATON`].
pub const PATTERN_AUTOMATON_BYTES: usize = 1 << 20;
/// Compiled patterns that are kept for one list, and bytes of one of them; longer ones and more are
/// compiled each time.
pub const KEPT_PATTERNS: usize = 1 << 10;
/// See [`KEPT_PATTERNS`].
pub const KEPT_PATTERN_BYTES: usize = 4 << 10;
/// Bytes of one header value or address given to us (Exim cuts headers at 64 KiB).
pub const HEADER_BYTES: usize = 1 << 20;
/// Senders of a message times bytes of a list's `equivalent_domains`: what their equivalents, which
/// are all looked up, have for domains.
pub const EQUIVALENT_BYTES: usize = 1 << 20;
/// Nested groups in an address list; Python raises RuntimeError at about 990.
pub const ADDRESS_DEPTH: usize = 900;
/// Bytes of `mm_cfg.py`.
pub const MM_CFG_BYTES: u64 = 1 << 20;
/// Nested brackets in an expression of `mm_cfg.py`.
pub const MM_CFG_DEPTH: usize = 100;
/// Bytes of all values that `mm_cfg.py` computes, a few for each element of a container.
pub const MM_CFG_VALUE_BYTES: usize = 8 << 20;
/// Bytes of a message.
pub const MESSAGE_BYTES: usize = 64 << 20;
/// Bytes of one header block: the message's own, or a part's.
pub const MESSAGE_HEADER_BLOCK_BYTES: usize = 1 << 20;
/// Bytes of all header blocks of one message together.
pub const MESSAGE_HEADER_BYTES: usize = 4 << 20;
/// Parts of a message, containers included.
pub const MESSAGE_PARTS: usize = 1 << 15;
/// Parts around a part; CPython 2.7 raises RuntimeError somewhere below 1,000.
pub const MESSAGE_DEPTH: usize = 200;
/// Iterations of PBKDF2, times blocks of the hash, for one password: the port uses 310,000.
pub const PBKDF2_ITERATIONS: u64 = 1_000_000;
/// Bytes that a program run by an administration command may print: Exim prints its whole
/// configuration.
pub const PROGRAM_OUTPUT_BYTES: usize = 16 << 20;
/// How long such a program may run.
pub const PROGRAM_TIME: Duration = Duration::from_secs(60);
/// Bytes of a configuration file of Exim's or of ours.
pub const CONFIGURATION_BYTES: u64 = 4 << 20;
/// Bytes of one value of a macro that an administrator sets.
pub const MACRO_BYTES: usize = 8 << 10;
/// Bytes of address space of a query: several times what a message of [`MESSAGE_BYTES`] takes.
/// Beyond it the program aborts, rather than have the machine's memory.
pub const ADDRESS_SPACE_BYTES: u64 = 1 << 30;
/// Seconds of processor time of a query. Its one busy thread is given up after 20 seconds of any
/// time, so this ends only a program in which that clock does not run any more.
pub const CPU_SECONDS: u64 = 30;
/// Bytes of a request to the daemon: four headers of 64 KiB in base64 and a block of headers.
pub const REQUEST_BYTES: usize = 1 << 20;
/// Bytes of an answer of the daemon; they fit into a socket's buffer, so that none is written in
/// parts.
pub const ANSWER_BYTES: usize = 64 << 10;
/// Bytes of a list whose first question does not wait until all of it can be kept.
pub const LONG_LIST_BYTES: u64 = 8 << 20;
/// How long a client may take to send its request.
pub const REQUEST_TIME: Duration = Duration::from_secs(10);
/// How long an answer may take, waiting for others included.
pub const ANSWER_TIME: Duration = Duration::from_secs(20);
/// How long a client whose request was not read to its end may take to end it, so that it gets the
/// answer; of more than another [`REQUEST_BYTES`] no more is read.
pub const LINGER_TIME: Duration = Duration::from_secs(1);
/// How long the daemon answers what it has begun with, when it is to end.
pub const DRAIN_TIME: Duration = Duration::from_secs(10);
/// Lines that wait to be logged; what comes beyond is counted, not logged.
pub const LOG_LINES: usize = 1 << 10;
/// Different lists, addresses, or sources that a report on a log keeps apart.
pub const LOG_NAMES: usize = 2_000_000;
/// Bytes of one of them.
pub const LOG_NAME_BYTES: usize = 1_000;
/// Records of logs, of 32 bytes each, that are in memory at once.
pub const LOG_EVENTS: usize = 8_000_000;
/// Bytes of a line of a log; a longer one counts as several that cannot be read.
pub const LOG_LINE_BYTES: u64 = 64 << 10;
/// Bytes of one log file, once unpacked.
pub const LOG_FILE_BYTES: u64 = 16 << 30;
/// Lines that cannot be read, of which a report shows the beginning.
pub const LOG_EXAMPLES: usize = 5;
