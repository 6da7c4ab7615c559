//! Does it look like spam? (`Mailman.Handlers.SpamDetect`; RULES 6.2-6.10.)
//!
//! `member_verbosity_threshold` counts posts in the memory of Mailman's runners, which nobody else
//! can see: it is taken as not exceeded. Exceeding it moderates a member, so that nothing is refused
//! here which Mailman would take.

mod dmarc;
mod header_filters;
pub mod header_text;
mod known_spammers;

use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Stop, Verdict};

/// Looks for the member whose posts would be counted, as Mailman does even where it counts none.
fn find_member(post: &Post<'_>, list: &List<'_>) -> Result<(), Stop> {
    for sender in &post.senders.all {
        if list.roster.is_member(sender)? {
            break;
        }
    }
    list.settings.member_verbosity_threshold.reached("member_verbosity_threshold")?;
    Ok(())
}

/// The handler.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    post: &mut Post<'_>,
    list: &List<'_>,
    site: &SiteValues,
    context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    if let Some(verdict) = dmarc::judge(post, list, context)? {
        return Ok(Some(verdict));
    }
    find_member(post, list)?;
    let (verdict, has_searched) = known_spammers::judge(post, site, context)?;
    if verdict.is_some() {
        return Ok(verdict);
    }
    header_filters::judge(post, list, site, has_searched, context)
}
