//! The line taken out of the message, and its copies out of all of its text.

use super::line::{Line, skip_blank_lines};
use super::part_text;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::re::{Budget, OverBudget};
use crate::python::text::{byte_lines, is_space, is_space_byte, text_lines};
use memchr::memmem;
use std::ops::Range;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The password is in no text any more.
    Clean,
    /// It is in a text between tags, where Mailman cannot take it out: it rejects the post.
    Stuck,
}

/// Takes out the line, then name, colon, blanks and password wherever they stand in a text part.
///
/// # Errors
/// [`Stop`] where Python fails on a part, or where it takes too long.
pub(super) fn remove(
    post: &mut Post<'_>,
    line: &Line,
    context: &mut Context<'_>,
) -> Result<Outcome, Stop> {
    let text = part_text::decoded(post, line.part)?;
    let rest = without_line(&text, post.python);
    drop(text);
    part_text::write(post, line.part, rest)?;
    let copies = Copies::new(line, post.python);
    let is_text = |index: &usize| {
        post.message.parts().get(*index).is_some_and(|part| part.maintype() == b"text")
    };
    let texts: Vec<usize> = (0..post.message.parts().len()).filter(is_text).collect();
    let costly = |OverBudget| Stop::Unknowable("an approval takes too long to remove".into());
    for index in texts {
        let text = part_text::decoded(post, index)?;
        if let Some(rest) = copies.removed_from(&text, context.budget).map_err(costly)? {
            drop(text);
            part_text::write(post, index, rest)?;
        } else if copies.is_in(&without_tags(&text), context.budget).map_err(costly)? {
            return Ok(Outcome::Stuck);
        }
    }
    Ok(Outcome::Clean)
}

/// The text without its first line that is not blank; lines are parted by LF then, and the end of
/// the last is lost.
fn without_line(text: &[u8], python: Python) -> Vec<u8> {
    let at = skip_blank_lines(text, python).map_or(text.len(), |(at, _)| at);
    let (before, behind) = text.split_at_checked(at).unwrap_or((text, &[]));
    let mut rest = Vec::with_capacity(text.len());
    let mut push = |line: &[u8]| {
        rest.extend_from_slice(line);
        rest.push(b'\n');
    };
    match python {
        Python::Two => byte_lines(before).chain(byte_lines(behind).skip(1)).for_each(&mut push),
        Python::Three => {
            let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
            let lines = text_lines(text(before)).chain(text_lines(text(behind)).skip(1));
            lines.map(str::as_bytes).for_each(&mut push);
        }
    }
    rest.pop();
    rest
}

/// `re.sub('(?s)<.*?>', '', text)`
fn without_tags(text: &[u8]) -> Vec<u8> {
    let mut rest = text;
    let mut kept = Vec::with_capacity(text.len());
    while let Some(open) = memchr::memchr(b'<', rest) {
        let Some(length) = rest.get(open..).and_then(|tag| memchr::memchr(b'>', tag)) else {
            break;
        };
        kept.extend_from_slice(rest.get(..open).unwrap_or_default());
        rest = rest.get(open + length + 1..).unwrap_or_default();
    }
    kept.extend_from_slice(rest);
    kept
}

/// What the pattern `name:(\xA0|\s|&nbsp;)*password` matches.
struct Copies {
    name: memmem::Finder<'static>,
    password: Vec<u8>,
    python: Python,
}

const NBSP: &[u8] = b"&nbsp;";

impl Copies {
    fn new(line: &Line, python: Python) -> Self {
        let name = [&line.name, &b":"[..]].concat();
        Copies {
            name: memmem::Finder::new(&name).into_owned(),
            password: line.password.as_bytes().to_vec(),
            python,
        }
    }

    fn is_in(&self, text: &[u8], budget: &mut Budget) -> Result<bool, OverBudget> {
        Ok(self.next(text, 0, budget)?.is_some())
    }

    /// The text without them; nothing if there are none.
    fn removed_from(
        &self,
        text: &[u8],
        budget: &mut Budget,
    ) -> Result<Option<Vec<u8>>, OverBudget> {
        let mut kept = Vec::new();
        let mut from = 0;
        while let Some(found) = self.next(text, from, budget)? {
            kept.extend_from_slice(text.get(from..found.start).unwrap_or_default());
            from = found.end;
        }
        if from == 0 {
            return Ok(None);
        }
        kept.extend_from_slice(text.get(from..).unwrap_or_default());
        Ok(Some(kept))
    }

    /// The first one from here on.
    fn next(
        &self,
        text: &[u8],
        from: usize,
        budget: &mut Budget,
    ) -> Result<Option<Range<usize>>, OverBudget> {
        let mut at = from;
        while let Some(found) = text.get(at..).and_then(|rest| self.name.find(rest)) {
            let start = at + found;
            at = start + self.name.needle().len();
            if let Some(end) = self.end(text, at, budget)? {
                return Ok(Some(start..end));
            }
        }
        Ok(None)
    }

    /// Where the password ends that follows the colon: as many blanks as possible go before it, but
    /// it may begin with some itself.
    fn end(
        &self,
        text: &[u8],
        colon: usize,
        budget: &mut Budget,
    ) -> Result<Option<usize>, OverBudget> {
        let mut at = colon;
        while let Some(length) = self.blank(text.get(at..).unwrap_or_default()) {
            at += length;
        }
        // Comparing 64 bytes costs no more than a step of the matcher.
        let cost = 1 + self.password.len() as u64 / 64;
        loop {
            budget.charge(cost)?;
            if text.get(at..).is_some_and(|rest| rest.starts_with(&self.password)) {
                return Ok(Some(at + self.password.len()));
            }
            if at == colon {
                return Ok(None);
            }
            at -= self.last_blank(text.get(colon..at).unwrap_or_default());
        }
    }

    /// Bytes of the blank that the text begins with.
    fn blank(&self, text: &[u8]) -> Option<usize> {
        match (self.python, text) {
            (_, [b'&', ..]) => text.starts_with(NBSP).then_some(NBSP.len()),
            (Python::Two, [first, ..]) => (is_space_byte(*first) || *first == 0xa0).then_some(1),
            (Python::Three, _) => {
                let beginning = text.get(..text.len().min(4)).unwrap_or_default();
                let c = beginning.utf8_chunks().next()?.valid().chars().next()?;
                is_space(c, Python::Three).then(|| c.len_utf8())
            }
            (Python::Two, []) => None,
        }
    }

    /// Bytes of the blank that these blanks end with.
    fn last_blank(&self, blanks: &[u8]) -> usize {
        let is_continued = |byte: &&u8| self.python == Python::Three && **byte & 0xc0 == 0x80;
        match blanks {
            [.., b';'] => NBSP.len(),
            _ => 1 + blanks.iter().rev().take_while(is_continued).count(),
        }
    }
}
