//! A line of Mailman's `subscribe` log (`MailList.AddMember`, `ApprovedAddMember`,
//! `DeleteMember`, `ApprovedChangeMemberAddress`, `Bouncer.disableBouncingMember`; RULES 8.9).
//!
//! A real name can hold anything, line ends included, and a client's address may be a header that
//! the client wrote. So fields are read from the ends of a line, and only where what stands between
//! them is an address as Mailman lets it in.

use super::moment::{Moment, of_stamp};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody asked, and the address has been written to.
    Pending,
    /// A new member.
    New,
    /// One member less.
    Deleted,
    /// Anything else: a changed address, a member who bounced away.
    Other,
}

/// One record; the bytes are Latin-1, and anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// When, local time.
    pub at: Moment,
    /// The list's internal name.
    pub list: &'a [u8],
    /// What happened.
    pub kind: Kind,
    /// The subscriber's address, any case.
    pub address: &'a [u8],
    /// Where the request came from: a network address, what a proxy said in its place, or an
    /// e-mail address.
    pub source: Option<&'a [u8]>,
}

/// Why a line gives no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It begins as a record, but breaks off: what follows it may be a stranger's text.
    Broken,
    /// It does not even begin as one.
    Foreign,
}

/// Reads a line without its end.
///
/// # Errors
/// [`Unread`]
pub fn parse(line: &[u8]) -> Result<Record<'_>, Unread> {
    let (stamp, rest) = line.split_at_checked(20).ok_or(Unread::Foreign)?;
    let at = of_stamp(stamp).ok_or(Unread::Foreign)?;
    let rest = rest.strip_prefix(b" (").ok_or(Unread::Foreign)?;
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let text = rest.get(digits..).and_then(|rest| rest.strip_prefix(b") "));
    let text = text.filter(|_| digits > 0).ok_or(Unread::Foreign)?;
    of_text(at, text).ok_or(Unread::Broken)
}

fn of_text(at: Moment, text: &[u8]) -> Option<Record<'_>> {
    let (list, rest) = split_once(text, b": ").filter(|(list, _)| is_list(list))?;
    let record = |kind, address, source| Some(Record { at, list, kind, address, source });
    if let Some(rest) = rest.strip_prefix(b"pending ") {
        // "WHO  REMOTE", and "WHO " where nothing is known of the remote end.
        if let Some(address) = rest.strip_suffix(b" ").and_then(address_of) {
            return record(Kind::Pending, address, None);
        }
        let (address, source) = split_behind_who(rest, b"  ")?;
        return record(Kind::Pending, address, Some(source));
    }
    if let Some(rest) = rest.strip_prefix(b"new ") {
        let rest = rest.strip_prefix(b"(digest) ").unwrap_or(rest);
        let (address, whence) = split_behind_who(rest, b", ")?;
        return record(Kind::New, address, source_of(whence));
    }
    if let Some(rest) = rest.strip_prefix(b"deleted ") {
        let address = split_once(rest, b"; ").map_or(rest, |(address, _)| address);
        return record(Kind::Deleted, plain_address(address)?, None);
    }
    if let Some(rest) = rest.strip_prefix(b"changed member address from ") {
        let (old, new) = split_once(rest, b" to ")?;
        plain_address(new.split(|c| *c == b' ').next()?)?;
        return record(Kind::Other, plain_address(old)?, None);
    }
    let (address, _) = split_once(rest, b" auto-unsubscribed")?;
    record(Kind::Other, plain_address(address)?, None)
}

fn split_once<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let first = *at.first()?;
    // A searcher made for each line would cost more than the search.
    let mut places = memchr::memchr_iter(first, text);
    let found = places.find(|place| text.get(*place..).is_some_and(|rest| rest.starts_with(at)))?;
    Some((text.get(..found)?, text.get(found.checked_add(at.len())?..)?))
}

/// Splits at the last `by` that has somebody before it: `ADDRESS` or `NAME <ADDRESS>`.
fn split_behind_who<'a>(text: &'a [u8], by: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    for at in memchr::memrchr_iter(*by.first()?, text) {
        let (before, rest) = text.split_at_checked(at)?;
        let behind = rest.strip_prefix(by);
        if let (Some(behind), Some(address)) = (behind, behind.and_then(|_| address_of(before))) {
            return Some((address, behind));
        }
    }
    None
}

/// The address of `ADDRESS` or `NAME <ADDRESS>` (`email.Utils.formataddr`).
fn address_of(who: &[u8]) -> Option<&[u8]> {
    match who.strip_suffix(b">") {
        Some(named) => {
            let begin = memchr::memrchr(b'<', named)?;
            // Something stands before it, and a blank after that.
            let name = named.get(..begin)?.strip_suffix(b" ")?;
            plain_address(named.get(begin.checked_add(1)?..)?).filter(|_| !name.is_empty())
        }
        None => plain_address(who),
    }
}

/// An address that `Utils.ValidateEmail` could have let in.
fn plain_address(text: &[u8]) -> Option<&[u8]> {
    let at = memchr::memchr(b'@', text)?;
    let odd = |c: &u8| !c.is_ascii_graphic() || b"[]()<>|:;^,\\\"".contains(c);
    let fits = at > 0 && at + 1 < text.len() && !text.iter().any(odd);
    fits.then_some(text)
}

fn is_list(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|c| c.is_ascii_graphic())
}

/// What of "whence" is a source: the words for confirmation and approval are none. The port writes
/// the client's address behind them.
fn source_of(whence: &[u8]) -> Option<&[u8]> {
    let words: [&[u8]; 4] = [
        b"via email confirmation",
        b"via web confirmation",
        b"via admin approval",
        b"via admin mass sub",
    ];
    let rest = words.iter().find_map(|word| whence.strip_prefix(*word));
    match rest {
        Some(rest) => rest.strip_prefix(b" from ").or(rest.strip_prefix(b"; ")),
        None => Some(whence).filter(|whence| !whence.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: &str = "Mar 02 10:00:00 2020 (4711) ";

    fn read(text: &str) -> Option<(String, Kind, String, Option<String>)> {
        let line = format!("{STAMP}{text}");
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let r = parse(line.as_bytes()).ok()?;
        Some((string(r.list), r.kind, string(r.address), r.source.map(string)))
    }

    fn some(
        list: &str,
        kind: Kind,
        address: &str,
        source: Option<&str>,
    ) -> Option<(String, Kind, String, Option<String>)> {
        Some((list.into(), kind, address.into(), source.map(Into::into)))
    }

    #[test]
    fn the_formats_that_mailman_writes() {
        use Kind::{Deleted, New, Other, Pending};
        let cases = [
            ("team: pending a@b.c  192.0.2.1", some("team", Pending, "a@b.c", Some("192.0.2.1"))),
            (
                "team: pending A B <a@b.c>  2001:db8::1",
                some("team", Pending, "a@b.c", Some("2001:db8::1")),
            ),
            ("team: pending a@b.c ", some("team", Pending, "a@b.c", None)),
            (
                "team: pending a@b.c  1.2.3.4, 5.6.7.8",
                some("team", Pending, "a@b.c", Some("1.2.3.4, 5.6.7.8")),
            ),
            ("t: new a@b.c, 192.0.2.1", some("t", New, "a@b.c", Some("192.0.2.1"))),
            ("t: new (digest) X <a@b.c>, via web confirmation", some("t", New, "a@b.c", None)),
            ("t: new \"X, Y\" <a@b.c>, via admin approval", some("t", New, "a@b.c", None)),
            ("t: new a@b.c, ", some("t", New, "a@b.c", None)),
            ("t: new a@b.c, 1.2.3.4, 5.6.7.8", some("t", New, "a@b.c", Some("1.2.3.4, 5.6.7.8"))),
            ("t: deleted a@b.c", some("t", Deleted, "a@b.c", None)),
            ("t: deleted a@b.c; via the member options page", some("t", Deleted, "a@b.c", None)),
            ("t: changed member address from a@b.c to d@e.f", some("t", Other, "a@b.c", None)),
            ("t: a@b.c auto-unsubscribed [reason: BYBOUNCE]", some("t", Other, "a@b.c", None)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_cannot_stand_for_the_fields_behind_it() {
        let pending = |text: &str| read(text).map(|(_, _, address, source)| (address, source));
        let found = pending("t: pending \"v@x.y  9.9.9.9\" <a@b.c>  192.0.2.1");
        assert_eq!(found, Some(("a@b.c".into(), Some("192.0.2.1".into()))));
        let found = pending("t: pending x: new v@x.y, 9.9.9.9 <a@b.c>  192.0.2.1");
        assert_eq!(found, Some(("a@b.c".into(), Some("192.0.2.1".into()))));
        let found = pending("t: pending \"Mar 02 \\(1\\) t: pending\" <a@b.c>  192.0.2.1");
        assert_eq!(found, Some(("a@b.c".into(), Some("192.0.2.1".into()))));
        // What a proxy's header says behind two blanks is no address of a subscriber.
        let found = pending("t: pending a@b.c  9.9.9.9  1.2.3.4");
        assert_eq!(found, Some(("a@b.c".into(), Some("9.9.9.9  1.2.3.4".into()))));
    }

    #[test]
    fn broken_and_foreign_lines() {
        let broken = |text: &str| parse(format!("{STAMP}{text}").as_bytes()).err();
        for text in
            ["t: pending \"half a name", "t: pending", "t: what", "nothing", "", "t: new a, x"]
        {
            assert_eq!(broken(text), Some(Unread::Broken), "{text}");
        }
        for line in ["", "x", "> <a@b.c>  192.0.2.1", "Mar 02 10:00:00 2020 () t: pending a@b.c "] {
            assert_eq!(parse(line.as_bytes()), Err(Unread::Foreign), "{line}");
        }
    }
}
