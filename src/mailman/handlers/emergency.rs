//! Are all posts held? (`Mailman.Handlers.Emergency`; RULES 6.27.)

use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::{Approval, Post};
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};

/// The handler: a list in an emergency holds what its password does not approve.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    post: &mut Post<'_>,
    list: &List<'_>,
    _site: &SiteValues,
    _context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    let emergency = list.settings.emergency.is_true("emergency")?;
    let held = emergency && post.approval == Approval::None;
    Ok(held.then(|| Verdict::of(Decision::Hold, Rule::Emergency)))
}
