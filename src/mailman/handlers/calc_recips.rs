//! Is it urgent without a password? (`Mailman.Handlers.CalcRecips`; RULES 6.27.)

use crate::mailman::handlers::List;
use crate::mailman::passwords::{self, Response};
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Rule, Stop, Verdict};

/// The handler: an `Urgent:` header, be it empty, needs a password of the list, approved or not.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    post: &mut Post<'_>,
    list: &List<'_>,
    _site: &SiteValues,
    _context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    // Whether the sender, if a member, gets what they post is looked up first.
    let sender = &post.senders.one;
    if list.roster.is_member(sender)? {
        list.roster.is_moderated(sender)?;
    }
    let Some(value) = post.header("urgent") else { return Ok(None) };
    let response = Response::header(value, post.python);
    if passwords::authenticates(list, &response, post.python)? {
        return Ok(None);
    }
    Ok(Some(Verdict::default_rejection(Rule::Urgent)))
}
