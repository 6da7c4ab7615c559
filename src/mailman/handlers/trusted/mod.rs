//! Messages that the site's own servers vouch for: the rule of moderation handlers that stand in
//! the place of `Moderate` where a site sets `TRUSTEDLOCALSERVER` and `TRUSTEDREMOTESERVER`.
//!
//! The newest `Received:` lines were written by the site's own servers. Behind those of the local
//! ones, lines that name a trusted submission server as their client mean that the message came
//! through it, and it has made sure who its client is. That client's line is the one older hop that
//! may remain: with another one behind it nobody would have vouched for the client.

use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::Stop;
use crate::python::re::{self, Answer, Flags};
use crate::python::text::PyStr;
use std::net::{IpAddr, Ipv6Addr};

const LOCAL: &str = "TRUSTEDLOCALSERVER";
const REMOTE: &str = "TRUSTEDREMOTESERVER";

/// Hops that may remain behind the trusted ones: their client.
const OLDER_HOPS: usize = 1;

/// Whether the site has both settings, be they readable or not.
pub fn is_set_up(site: &SiteValues) -> bool {
    let is_set = |name| !matches!(site.get(name), Ok(None));
    is_set(LOCAL) && is_set(REMOTE)
}

/// Whether posts meet a handler that trusts servers: the site is set up for it, and neither it nor
/// the list has a pipeline with Mailman's own Moderate in it.
pub fn applies(site: &SiteValues, list: &List<'_>) -> Result<bool, Stop> {
    let pipeline = match list.settings.pipeline.value() {
        Some(own) => own,
        // Nothing was assigned: the site has put its handler into Moderate's own file.
        None if !site.own_pipeline => return Ok(is_set_up(site)),
        None => site.known("GLOBAL_PIPELINE")?,
    };
    let is_moderate =
        |name: &PyValue| matches!(name, PyValue::Str(name) if name.as_bytes() == b"Moderate");
    let handlers = pipeline.iterate().unwrap_or_default();
    Ok(is_set_up(site) && !handlers.iter().any(is_moderate))
}

/// Whether a trusted server vouches for the message.
///
/// # Errors
/// [`Stop::Unknowable`] where a setting cannot be followed, or a pattern costs too much.
pub fn is_trusted(
    post: &Post<'_>,
    site: &SiteValues,
    context: &mut Context<'_>,
) -> Result<bool, Stop> {
    let local = entries(site.known(LOCAL)?);
    let remote = entries(site.known(REMOTE)?);
    let hops: Vec<Option<IpAddr>> =
        post.headers("received").into_iter().filter(|v| begins_with_from(v)).map(client).collect();
    let mut hops = hops.as_slice();
    let mut vouched = 0usize;
    while let Some((Some(address), older)) = hops.split_first()
        && matches(*address, &local, context)?
    {
        hops = older;
    }
    while let Some((Some(address), older)) = hops.split_first()
        && matches(*address, &remote, context)?
    {
        hops = older;
        vouched = vouched.saturating_add(1);
    }
    let older = hops.len();
    context.trail.push(format!("trusted servers: {vouched} on the way, {older} older hops"));
    Ok(vouched > 0 && older <= OLDER_HOPS)
}

/// An entry of the settings.
enum Entry {
    Network(IpAddr, u8),
    Pattern(PyStr),
}

/// What can be read of a setting; the rest matches nothing.
fn entries(setting: &PyValue) -> Vec<Entry> {
    let values = match setting {
        PyValue::List(values) => values.clone(),
        PyValue::Str(_) => vec![setting.clone()],
        _ => Vec::new(),
    };
    values.iter().filter_map(entry).collect()
}

fn entry(value: &PyValue) -> Option<Entry> {
    let PyValue::Str(text) = value else { return None };
    if text.as_bytes().starts_with(b"^") {
        return Some(Entry::Pattern(text.clone()));
    }
    let text = std::str::from_utf8(text.as_bytes()).ok()?.trim();
    let Some((address, length)) = text.split_once('/') else {
        let address = plain_address(text)?;
        return Some(Entry::Network(address, if address.is_ipv4() { 32 } else { 128 }));
    };
    let length: u8 = length.parse().ok()?;
    match address.parse().ok()? {
        // A network of mapped addresses is one of IPv4.
        IpAddr::V6(v6) if length >= 96 && v6.to_ipv4_mapped().is_some() => {
            Some(Entry::Network(canonical(v6), length.checked_sub(96)?))
        }
        address @ IpAddr::V4(_) if length <= 32 => Some(Entry::Network(address, length)),
        address @ IpAddr::V6(_) if length <= 128 => Some(Entry::Network(address, length)),
        _ => None,
    }
}

fn plain_address(text: &str) -> Option<IpAddr> {
    match text.parse().ok()? {
        IpAddr::V6(v6) => Some(canonical(v6)),
        v4 => Some(v4),
    }
}

/// An IPv4 address in IPv6's clothes is the IPv4 address.
fn canonical(address: Ipv6Addr) -> IpAddr {
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

/// Patterns see the address in its shortest spelling, in lower case.
fn matches(address: IpAddr, entries: &[Entry], context: &mut Context<'_>) -> Result<bool, Stop> {
    for entry in entries {
        let matched = match entry {
            Entry::Network(network, length) => is_in(address, *network, *length),
            Entry::Pattern(pattern) => matches_pattern(address, pattern, context)?,
        };
        if matched {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_in(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32u8),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return false,
    };
    let rest = u32::from(width.saturating_sub(length));
    address.checked_shr(rest).unwrap_or(0) == network.checked_shr(rest).unwrap_or(0)
}

fn matches_pattern(
    address: IpAddr,
    pattern: &PyStr,
    context: &mut Context<'_>,
) -> Result<bool, Stop> {
    let flags = Flags { ignore_case: true, ..Flags::default() };
    let subject = match pattern {
        PyStr::Bytes(_) => PyStr::Bytes(address.to_string().into_bytes()),
        PyStr::Text(_) => PyStr::Text(address.to_string()),
    };
    match re::search(pattern, &subject, flags, context.python, context.budget) {
        Answer::Match => Ok(true),
        Answer::NoMatch => Ok(false),
        Answer::Invalid(why) | Answer::Crash(why) => {
            let pattern = pattern.to_lossy();
            context.trail.push(format!("trusted server {pattern} is invalid ({why}): no effect"));
            Ok(false)
        }
        Answer::OverBudget => {
            Err(Stop::Unknowable("a trusted server's pattern costs too much".into()))
        }
    }
}

fn begins_with_from(value: &[u8]) -> bool {
    match value.split_at_checked(4) {
        Some((word, [blank, ..])) => {
            word.eq_ignore_ascii_case(b"from") && (blank.is_ascii_whitespace() || *blank == b'(')
        }
        _ => false,
    }
}

/// The client that a `Received:` line names: the one address in brackets before its `by`. `None`
/// where there is none or several: the client chooses its own HELO name, which may be another
/// address in brackets.
fn client(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(from_clause(value)).ok()?;
    let mut found: Option<IpAddr> = None;
    for piece in text.split('[').skip(1) {
        let (inside, _) = piece.split_once(']')?;
        let address = bracketed(inside)?;
        if found.is_some_and(|other| other != address) {
            return None;
        }
        found = Some(address);
    }
    found
}

/// What stands before the word `by` that is in no comment; all of it where there is none.
fn from_clause(value: &[u8]) -> &[u8] {
    let mut depth = 0usize;
    let mut at = 0;
    for word in value.split_inclusive(u8::is_ascii_whitespace) {
        if depth == 0 && word.trim_ascii().eq_ignore_ascii_case(b"by") {
            return value.get(..at).unwrap_or(value);
        }
        for byte in word {
            match byte {
                b'(' => depth = depth.saturating_add(1),
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        at += word.len();
    }
    value
}

fn bracketed(inside: &str) -> Option<IpAddr> {
    let inside = inside.trim();
    match inside.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => {
            let rest = inside.get(5..)?;
            rest.parse::<Ipv6Addr>().ok().map(canonical)
        }
        _ => plain_address(inside),
    }
}

#[cfg(test)]
mod tests;
