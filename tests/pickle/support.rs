//! What the tests of the pickle reader share.

use mm_query::pickle::{Error, Picked, Request, pick};

/// Picks the values of these top-level keys.
pub(crate) fn values(pickle: &[u8], keys: &[&str]) -> Result<Picked, Error> {
    pick(pickle, &Request { keys, dicts: &[], addresses: &[] })
}
