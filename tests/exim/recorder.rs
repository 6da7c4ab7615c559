//! A stand-in that writes down the words it is given, to see what Exim hands over.

use std::fs;

use crate::config::Site;
use crate::server::{Exim, start};

/// Exim with a program that records its words and permits everything.
pub(crate) struct Recorder {
    exim: Exim,
}

impl Recorder {
    /// Starts it; `None` when it cannot run here.
    pub(crate) fn start(site: Site) -> Option<Recorder> {
        // One word per line: no word of ours may contain a line end.
        let script = "printf '%s\\n' \"$#\" \"$@\" > \"${0%/*}/mail/words\"".to_owned();
        let site = Site { checker: crate::checker::Checker::Script(script), ..site };
        start(&site).map(|exim| Recorder { exim })
    }

    /// Posts a message to `team` and returns the program's words.
    pub(crate) fn words(&self, envelope: &str, message: &[u8]) -> Vec<String> {
        let mut smtp = self.exim.connect();
        let reply = smtp.post(envelope, "team@lists.example.org", message);
        assert_eq!(reply.code, 250, "{reply:?}");
        smtp.quit();
        let path = self.exim.directory().join("mail/words");
        let text = fs::read_to_string(&path).expect("the program was run");
        fs::remove_file(path).unwrap();
        let mut words: Vec<String> = text.lines().map(str::to_owned).collect();
        let count = words.remove(0);
        assert_eq!(words.len().to_string(), count, "a word contains a line end: {words:?}");
        words
    }

    /// Exim's main log.
    pub(crate) fn log(&self) -> String {
        self.exim.log("main")
    }
}

/// The decoded value of a base64 option.
pub(crate) fn value(words: &[String], option: &str) -> Vec<u8> {
    let prefix = format!("--{option}=");
    let found: Vec<_> = words.iter().filter_map(|word| word.strip_prefix(&prefix)).collect();
    assert_eq!(found.len(), 1, "--{option} in {words:?}");
    from_base64(found[0])
}

/// Whether the program is told that the message may be approved.
pub(crate) fn is_unsure(words: &[String]) -> bool {
    words.iter().any(|word| word == "--approved")
}

/// Decodes base64 without line breaks (RFC 4648, 4).
fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_eq!(text.len() % 4, 0, "{text}");
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for byte in text.trim_end_matches('=').bytes() {
        let digit = ALPHABET.iter().position(|&one| one == byte).expect("base64");
        bits = (bits << 6 | u32::try_from(digit).unwrap()) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}

/// Encodes base64 in lines of 76 characters, as mailers do.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (number, chunk) in bytes.chunks(3).enumerate() {
        if number % 19 == 0 && number > 0 {
            out.push('\n');
        }
        let group = chunk.iter().fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * place) & 63) as usize];
            out.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}
