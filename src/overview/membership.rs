//! Who is a member of a list, and how (`Mailman.OldStyleMemberships`).

use crate::list::store::Loaded;
use crate::list::survey::Entries;
use crate::list::value::PyValue;
use crate::mailman::equivalents::equivalents;
use crate::mailman::roster::MODERATE;
use crate::python::text::PyStr;
use crate::site::{Error, Site};

/// The dictionaries that say how somebody is a member.
const DICTS: [&str; 5] =
    ["members", "digest_members", "user_options", "delivery_status", "bounce_info"];

/// `Defaults.DisableDelivery`, before `delivery_status` came up.
const DISABLE_DELIVERY: i64 = 2;

/// Who has switched a member's mail off (`MemberAdaptor.BYUSER` and so on).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The member.
    ByUser,
    /// The list's administrator.
    ByAdministrator,
    /// Mailman, after too many bounces.
    ByBounces,
    /// Not known.
    Unknown,
}

impl Delivery {
    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Delivery::ByUser => "by the member",
            Delivery::ByAdministrator => "by the administrator",
            Delivery::ByBounces => "by bounces",
            Delivery::Unknown => "unknown",
        }
    }

    /// What is stored is a pair of a number and a time.
    fn of(value: &PyValue) -> Option<Delivery> {
        let PyValue::List(pair) = value else { return Some(Delivery::Unknown) };
        match pair.first().and_then(PyValue::integer) {
            Some(0) => None,
            Some(2) => Some(Delivery::ByUser),
            Some(3) => Some(Delivery::ByAdministrator),
            Some(4) => Some(Delivery::ByBounces),
            _ => Some(Delivery::Unknown),
        }
    }
}

/// How an address is a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The member's address as the list has it, in lower case; of an equivalent domain, perhaps.
    pub address: PyStr,
    /// Gets digests.
    pub digests: bool,
    /// Posts are moderated.
    pub moderated: bool,
    /// Gets no mail.
    pub delivery: Option<Delivery>,
    /// Mail to this member has bounced of late.
    pub bouncing: bool,
}

/// Looks addresses up in a list that was loaded, with all their equivalents. The answers are in the
/// addresses' order.
///
/// # Errors
/// The list cannot be read, or Mailman would fail on it.
pub fn of_addresses(
    site: &Site,
    list: &Loaded,
    addresses: &[&[u8]],
) -> Result<Vec<Option<Membership>>, Error> {
    let groups: Vec<_> = addresses.iter().map(|address| candidates(list, address)).collect();
    let mut entries = site.lists.entries(&list.name, &DICTS, &groups.concat())?.into_iter();
    let mut found = |candidates: &Vec<PyStr>| {
        // Each takes its own, also behind the first that is a member.
        let all: Vec<_> = candidates.iter().zip(entries.by_ref().take(candidates.len())).collect();
        all.into_iter().find_map(|(address, entries)| membership(address, &entries))
    };
    Ok(groups.iter().map(&mut found).collect())
}

/// What the list may know an address as, in the order in which Mailman looks.
fn candidates(list: &Loaded, address: &[u8]) -> Vec<PyStr> {
    let python = list.settings.python;
    // The port knows no address but text.
    let Some(address) = PyStr::native(address, python) else { return Vec::new() };
    let address = address.lower(python);
    let others = match &list.settings.equivalent_domains {
        setting if setting.value().is_some() => {
            let setting = setting.reached("equivalent_domains");
            setting.and_then(|domains| equivalents(&address, domains, python)).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    std::iter::once(address).chain(others).collect()
}

fn membership(address: &PyStr, entries: &Entries) -> Option<Membership> {
    let [members, digests, options, delivery, bounces] = entries.of(&DICTS);
    members.or(digests)?;
    let bits = options.and_then(PyValue::integer).unwrap_or(0);
    let old = (bits & DISABLE_DELIVERY != 0).then_some(Delivery::Unknown);
    Some(Membership {
        address: address.clone(),
        digests: digests.is_some(),
        moderated: bits & MODERATE != 0,
        delivery: delivery.map_or(old, Delivery::of),
        bouncing: bounces.is_some(),
    })
}
