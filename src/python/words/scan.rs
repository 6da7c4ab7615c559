//! Where the encoded words of a header value are: `email.header.ecre` of Python 2.7.

/// How an encoded word carries its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `q`: quoted-printable, `_` for a space.
    Quoted,
    /// `b`: base64.
    Base64,
}

/// An encoded word as it stands in the text.
#[derive(Debug)]
pub(super) struct EncodedWord<'a> {
    /// Index of its first byte.
    pub(super) start: usize,
    /// Index after its last byte.
    pub(super) end: usize,
    /// As written, perhaps empty.
    pub(super) charset: &'a [u8],
    pub(super) encoding: Encoding,
    /// What stands between the third and the last `?`.
    pub(super) encoded: &'a [u8],
}

/// The encoded words of a text, from left to right.
///
/// What a search found is kept for the next one, so that all of them together look at each byte
/// a few times only, where Python's regular expression takes time by the square.
pub(super) struct EncodedWords<'a> {
    text: &'a [u8],
    at: usize,
    /// The last position found where a word may end; it counts while no search begins after it.
    terminator: Option<usize>,
    /// The last line feed found, likewise; the text's length if there is none.
    line_feed: Option<usize>,
}

impl<'a> EncodedWords<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, terminator: None, line_feed: None }
    }

    /// The first `?=` from here on with a blank, a line feed or the end of the text after it.
    fn terminator_from(&mut self, from: usize) -> Option<usize> {
        let ends_word =
            |&at: &usize| matches!(self.text.get(at + 2), None | Some(b' ' | b'\t' | b'\n'));
        let known = self.terminator.filter(|&at| at >= from);
        self.terminator = known.or_else(|| positions(self.text, *b"?=", from).find(ends_word));
        self.terminator
    }

    fn line_feed_from(&mut self, from: usize) -> usize {
        let known = self.line_feed.filter(|&at| at >= from);
        let found = known.or_else(|| position(self.text, b'\n', from)).unwrap_or(self.text.len());
        self.line_feed = Some(found);
        found
    }

    /// The word that begins here, if one does; `Err` if none begins here or later.
    fn word_at(&mut self, start: usize) -> Result<Option<EncodedWord<'a>>, NoMore> {
        let charset_end = position(self.text, b'?', start + 2).ok_or(NoMore)?;
        let Some(encoding) = self.encoding_at(charset_end + 1) else { return Ok(None) };
        let encoded_start = charset_end + 3;
        let encoded_end = self.terminator_from(encoded_start).ok_or(NoMore)?;
        if self.line_feed_from(encoded_start) < encoded_end {
            return Ok(None);
        }
        Ok(Some(EncodedWord {
            start,
            end: encoded_end + 2,
            charset: self.text.get(start + 2..charset_end).unwrap_or_default(),
            encoding,
            encoded: self.text.get(encoded_start..encoded_end).unwrap_or_default(),
        }))
    }

    fn encoding_at(&self, at: usize) -> Option<Encoding> {
        match self.text.get(at..at + 2)? {
            [b'q' | b'Q', b'?'] => Some(Encoding::Quoted),
            [b'b' | b'B', b'?'] => Some(Encoding::Base64),
            _ => None,
        }
    }
}

/// Nothing that could be part of a word follows.
struct NoMore;

impl<'a> Iterator for EncodedWords<'a> {
    type Item = EncodedWord<'a>;

    fn next(&mut self) -> Option<EncodedWord<'a>> {
        for start in positions(self.text, *b"=?", self.at) {
            match self.word_at(start) {
                Ok(None) => {}
                Ok(Some(word)) => {
                    self.at = word.end;
                    return Some(word);
                }
                Err(NoMore) => break,
            }
        }
        self.at = self.text.len();
        None
    }
}

fn position(text: &[u8], byte: u8, from: usize) -> Option<usize> {
    text.get(from..)?.iter().position(|&b| b == byte).map(|at| from + at)
}

/// Where these two bytes stand, from here on.
fn positions(text: &[u8], pair: [u8; 2], from: usize) -> impl Iterator<Item = usize> + use<'_> {
    let pairs = text.get(from..).unwrap_or_default().windows(2).enumerate();
    pairs.filter(move |&(_, two)| two == pair).map(move |(at, _)| from + at)
}
