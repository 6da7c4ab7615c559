//! Names of lists: parsed once, so that nothing else has to distrust them.

use std::fmt;

/// Bytes a list name may have at most: one component of a path.
const MAX_BYTES: usize = 255;

/// The internal name of a list, which is also the name of its directory.
///
/// Holds only what Mailman's `ACCEPTABLE_LISTNAME_CHARACTERS` allows (`[-+_.=a-z0-9]`), so never
/// a slash, a NUL, an upper-case letter or a byte above ASCII; it does not begin with a dot
/// either, so it is neither `.` nor `..`. (`Mailman.Utils.list_exists` lets those two pass, and
/// then finds no list there.)
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListName(String);

/// Why a text is no list's name. To Mailman such a list does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadName {
    /// Nothing in it.
    Empty,
    /// Over 255 bytes.
    TooLong,
    /// It begins with a dot.
    LeadingDot,
    /// A character that no list's name has.
    Character(u8),
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadName::Empty => f.write_str("the name is empty"),
            BadName::TooLong => write!(f, "the name has more than {MAX_BYTES} bytes"),
            BadName::LeadingDot => f.write_str("a list's name does not begin with a dot"),
            BadName::Character(c) => {
                write!(f, "a list's name cannot contain '{}'", c.escape_ascii())
            }
        }
    }
}

impl ListName {
    /// Parses a name as Mailman's mail scripts take it: verbatim, upper case being unknown.
    ///
    /// # Errors
    /// [`BadName`] says what no list's name has.
    pub fn parse(name: &[u8]) -> Result<ListName, BadName> {
        if name.is_empty() {
            return Err(BadName::Empty);
        }
        if name.len() > MAX_BYTES {
            return Err(BadName::TooLong);
        }
        if name.starts_with(b".") {
            return Err(BadName::LeadingDot);
        }
        let acceptable =
            |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-+_.=".contains(c);
        match name.iter().find(|c| !acceptable(c)) {
            Some(c) => Err(BadName::Character(*c)),
            None => Ok(ListName(name.iter().map(|c| char::from(*c)).collect())),
        }
    }

    /// The name, ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an administrator or Exim calls a list: `name`, or `name@domain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAddress {
    /// The local part.
    pub name: ListName,
    /// What follows the first `@`, verbatim; never empty.
    pub domain: Option<Vec<u8>>,
}

impl ListAddress {
    /// Parses `name` or `name@domain`.
    ///
    /// # Errors
    /// [`BadName`] as for the name; an empty domain is [`BadName::Empty`].
    pub fn parse(text: &[u8]) -> Result<ListAddress, BadName> {
        let mut parts = text.splitn(2, |c| *c == b'@');
        let name = ListName::parse(parts.next().unwrap_or_default())?;
        match parts.next() {
            None => Ok(ListAddress { name, domain: None }),
            Some([]) => Err(BadName::Empty),
            Some(domain) => Ok(ListAddress { name, domain: Some(domain.to_vec()) }),
        }
    }

    /// The directory that cPanel gives a list of this name and domain: `name_domain`.
    pub fn cpanel_name(&self) -> Option<ListName> {
        let domain = self.domain.as_ref()?.to_ascii_lowercase();
        ListName::parse(&[self.name.as_str().as_bytes(), b"_", &domain].concat()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_mailman_takes() {
        for name in ["team", "c++", "a.b-c_d=e", "x-owner", "-dash", "0", "team_lists.example.com"]
        {
            assert_eq!(ListName::parse(name.as_bytes()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn refuses_what_could_leave_the_directory_or_is_no_name() {
        for (name, why) in [
            (&b""[..], BadName::Empty),
            (b".", BadName::LeadingDot),
            (b"..", BadName::LeadingDot),
            (b".hidden", BadName::LeadingDot),
            (b"a/b", BadName::Character(b'/')),
            (b"../x", BadName::LeadingDot),
            (b"x/../y", BadName::Character(b'/')),
            (b"Team", BadName::Character(b'T')),
            (b"a\0b", BadName::Character(0)),
            (b"a b", BadName::Character(b' ')),
            (b"a\nb", BadName::Character(b'\n')),
            (b"caf\xc3\xa9", BadName::Character(0xc3)),
            (&[b'a'; 256], BadName::TooLong),
        ] {
            assert_eq!(ListName::parse(name), Err(why), "{}", name.escape_ascii());
        }
    }

    #[test]
    fn splits_at_the_first_at_sign() {
        let list = ListAddress::parse(b"club@Lists.Example.COM").unwrap();
        assert_eq!(list.name.as_str(), "club");
        assert_eq!(list.cpanel_name().unwrap().as_str(), "club_lists.example.com");
        assert_eq!(ListAddress::parse(b"club@"), Err(BadName::Empty));
        assert_eq!(ListAddress::parse(b"@x"), Err(BadName::Empty));
        let odd = ListAddress::parse(b"club@a/../b").unwrap();
        assert_eq!(odd.cpanel_name(), None);
    }
}
