//! What the caller says of a message's senders.

use crate::mailman::senders::{Origin, SenderPolicy, Senders, envelope_word, senders};
use crate::mailman::verdict::Stop;
use crate::python::Python;

/// Exim cuts each header variable here without a word; what was behind the cut is unknown.
const EXIM_CUT: usize = 65_535;

/// The senders as the caller gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Bare addresses, of which any one that could post alone permits the post.
    Addresses(Vec<Vec<u8>>),
    /// Headers and envelope sender by their roles.
    Message(Message),
}

/// Headers and envelope sender of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// All ways to read the headers, the likely one first. There is more than one where a list of
    /// Exim's could also be one header with a colon in it.
    pub readings: Vec<Origin>,
    /// Exim may have cut a header.
    pub cut: bool,
}

/// What a caller may say, as far as it says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// Bare addresses, of which empty ones are ignored.
    pub addresses: Vec<Vec<u8>>,
    /// The envelope sender; empty for bounces.
    pub envelope: Option<Vec<u8>>,
    /// `From:` headers.
    pub from: Vec<Vec<u8>>,
    /// `Sender:` headers.
    pub sender: Vec<Vec<u8>>,
    /// `Reply-To:` headers.
    pub reply_to: Vec<Vec<u8>>,
    /// Each of the headers is a list as Exim's `$lh_NAME:` gives it.
    pub exim_lists: bool,
}

impl Given {
    /// What a caller says of the senders; nothing if it says nothing. A message that carries an
    /// approval may lack senders.
    pub fn from_parts(parts: Parts, approved: bool) -> Option<Given> {
        let Parts { addresses, envelope, from, sender, reply_to, exim_lists } = parts;
        let headers = [&from, &sender, &reply_to];
        if envelope.is_none() && headers.iter().all(|h| h.is_empty()) && !approved {
            let named = !addresses.is_empty();
            let addresses = addresses.into_iter().filter(|a| !a.is_empty()).collect();
            return named.then_some(Given::Addresses(addresses));
        }
        let envelope = envelope.map(|address| envelope_word(&address));
        Some(Given::Message(match exim_lists {
            true => Message::from_exim(&EximLists { from, sender, reply_to }, envelope.as_deref()),
            false => Message::plain(Origin { from, sender, reply_to, envelope }),
        }))
    }

    /// The senders under one Python and one site policy, one entry for each way to read what was
    /// given.
    pub fn senders(&self, policy: &SenderPolicy, python: Python) -> Vec<Result<Senders, Stop>> {
        match self {
            Given::Addresses(all) => all.iter().map(|a| Senders::only(a, python)).collect(),
            Given::Message(message) => {
                message.readings.iter().map(|origin| senders(origin, policy, python)).collect()
            }
        }
    }
}

/// Lists of headers as Exim hands them over; bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EximLists {
    /// `$lh_From:`
    pub from: Vec<Vec<u8>>,
    /// `$lh_Sender:`
    pub sender: Vec<Vec<u8>>,
    /// `$lh_Reply-To:`
    pub reply_to: Vec<Vec<u8>>,
}

impl Message {
    /// Headers that are known as they are.
    pub fn plain(origin: Origin) -> Message {
        Message { readings: vec![origin], cut: false }
    }

    /// Headers as Exim's `$lh_NAME:` gives them.
    pub fn from_exim(lists: &EximLists, envelope: Option<&[u8]>) -> Message {
        let all = [&lists.from, &lists.sender, &lists.reply_to];
        let cut = all.into_iter().flatten().any(|value| value.len() >= EXIM_CUT);
        let mut readings: Vec<Origin> = Vec::new();
        for split in [exim_list, exim_list_from_the_right, one_header] {
            let each = |values: &[Vec<u8>]| values.iter().flat_map(|v| split(v)).collect();
            let origin = Origin {
                from: each(&lists.from),
                sender: each(&lists.sender),
                reply_to: each(&lists.reply_to),
                envelope: envelope.map(<[u8]>::to_vec),
            };
            if !readings.contains(&origin) {
                readings.push(origin);
            }
        }
        Message { readings, cut }
    }
}

/// The headers in a list as Exim's `$lh_NAME:` gives it: parted by colons, colons within a header
/// doubled. No header gives an empty list.
fn exim_list(list: &[u8]) -> Vec<Vec<u8>> {
    split(list, false)
}

/// The same where three colons stand together, read the other way round: a header that begins
/// with a colon rather than one that ends in it.
fn exim_list_from_the_right(list: &[u8]) -> Vec<Vec<u8>> {
    split(list, true)
}

fn split(list: &[u8], separator_first: bool) -> Vec<Vec<u8>> {
    let mut headers = Vec::new();
    let mut header = Vec::new();
    let mut rest = list;
    while let Some((c, behind)) = rest.split_first() {
        if *c != b':' {
            header.push(*c);
            rest = behind;
            continue;
        }
        let run = rest.iter().take_while(|c| **c == b':').count();
        let literal = run / 2;
        let parts = run % 2 == 1;
        if parts && separator_first {
            headers.push(std::mem::take(&mut header));
        }
        header.extend(std::iter::repeat_n(b':', literal));
        if parts && !separator_first {
            headers.push(std::mem::take(&mut header));
        }
        rest = rest.get(run..).unwrap_or_default();
    }
    headers.push(header);
    headers.retain(|h| !h.trim_ascii().is_empty());
    headers
}

/// The value as one header, if it came from elsewhere than `$lh_NAME:`.
fn one_header(value: &[u8]) -> Vec<Vec<u8>> {
    let single = value.contains(&b':') && exim_list(value).len() > 1;
    if single { vec![value.to_vec()] } else { exim_list(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        exim_list(text.as_bytes()).into_iter().map(|h| String::from_utf8(h).unwrap()).collect()
    }

    #[test]
    fn reads_lists_as_exim_writes_them() {
        assert_eq!(list(""), Vec::<String>::new());
        assert_eq!(list("a@b"), ["a@b"]);
        assert_eq!(list("a@b\n:c@d\n"), ["a@b\n", "c@d\n"]);
        assert_eq!(list("group:: a@b;"), ["group: a@b;"]);
        assert_eq!(list("a::::b"), ["a::b"]);
        assert_eq!(list("x:::y"), ["x:", "y"]);
        let right = exim_list_from_the_right(b"x:::y");
        assert_eq!(right, [b"x".to_vec(), b":y".to_vec()]);
    }
}
