//! Domains that a list takes as one (`Mailman.Utils.check_eq_domains`; RULES 4.2).

use crate::list::value::PyValue;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::text::{PyStr, is_ascii_space, is_space};

/// The addresses that count as `address` on a list with these `equivalent_domains`.
///
/// The setting is a text such as `a, b; c, d`: groups parted by semicolons, domains by commas,
/// all white space ignored. Only the first group with the address's domain counts; an empty entry
/// in it gives an address with an empty domain.
///
/// # Errors
/// [`Stop::Shunt`] where the setting is not a text.
pub fn equivalents(
    address: &PyStr,
    equivalent_domains: &PyValue,
    python: Python,
) -> Result<Vec<PyStr>, Stop> {
    if equivalent_domains.truth() == Some(false) {
        return Ok(Vec::new());
    }
    let Some((local, domain)) = address.rsplit_at() else { return Ok(Vec::new()) };
    let PyValue::Str(groups) = equivalent_domains else {
        return Err(Stop::Shunt("equivalent_domains is not a text".into()));
    };
    let domain = domain.lower(python);
    let flat = without_space(groups, python).lower(python);
    let group = flat
        .as_bytes()
        .split(|c| *c == b';')
        .map(|group| group.split(|c| *c == b',').collect::<Vec<_>>())
        .find(|group| group.contains(&domain.as_bytes()));
    let others: Vec<&[u8]> =
        group.into_iter().flatten().filter(|d| *d != domain.as_bytes()).collect();
    let mixed = matches!((&local, groups), (PyStr::Bytes(_), PyStr::Text(_)));
    if mixed && !others.is_empty() && !local.as_bytes().is_ascii() {
        return Err(Stop::Shunt("equivalent_domains is text, and the address not ASCII".into()));
    }
    Ok(others.iter().map(|d| same_kind(&[local.as_bytes(), b"@", d].concat(), address)).collect())
}

/// `re.sub('\s', '', groups)`; Python 2's `\s` is ASCII.
fn without_space(groups: &PyStr, python: Python) -> PyStr {
    let space = |c: char| match python {
        Python::Two => is_ascii_space(c),
        Python::Three => is_space(c, python),
    };
    match groups {
        PyStr::Bytes(b) => {
            PyStr::Bytes(b.iter().copied().filter(|b| !space(char::from(*b))).collect())
        }
        PyStr::Text(t) => PyStr::Text(t.chars().filter(|c| !space(*c)).collect()),
    }
}

fn same_kind(bytes: &[u8], like: &PyStr) -> PyStr {
    match like {
        PyStr::Bytes(_) => PyStr::Bytes(bytes.to_vec()),
        PyStr::Text(_) => PyStr::Text(String::from_utf8_lossy(bytes).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str, domains: &str) -> Vec<String> {
        let bytes = |s: &str| PyStr::Bytes(s.as_bytes().to_vec());
        equivalents(&bytes(address), &PyValue::Str(bytes(domains)), Python::Two)
            .unwrap()
            .iter()
            .map(|a| a.to_lossy().into_owned())
            .collect()
    }

    #[test]
    fn first_group_only_and_white_space_anywhere() {
        assert_eq!(of("u@b", "a, B ;\n c,d;b,x"), ["u@a"]);
        assert_eq!(of("u@me.com", "mac.com, me .com,icloud.com"), ["u@mac.com", "u@icloud.com"]);
    }

    #[test]
    fn empty_entries_are_domains_too() {
        assert_eq!(of("u@a", "a,,b"), ["u@", "u@b"]);
        assert_eq!(of("u@", "a,"), ["u@a"]);
    }

    #[test]
    fn no_at_sign_or_no_group() {
        assert_eq!(of("user", "a,b"), Vec::<String>::new());
        assert_eq!(of("u@z", "a,b"), Vec::<String>::new());
        assert_eq!(of("u@a", ""), Vec::<String>::new());
        assert_eq!(of("u@v@a", "a,b"), ["u@v@b"]);
    }

    #[test]
    fn another_type_shunts_only_when_reached() {
        let address = PyStr::Bytes(b"u@a".to_vec());
        assert!(equivalents(&address, &PyValue::Int(1), Python::Two).is_err());
        assert_eq!(equivalents(&address, &PyValue::Int(0), Python::Two), Ok(vec![]));
    }
}
