//! Is it HTML that the list throws away? (`Mailman.Handlers.Scrubber`; RULES 6.27.)
//!
//! What else the handler does, and may fail in, is storing attachments: the post goes on without
//! them.

use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};

/// The handler: a message that is nothing but HTML is discarded where the site keeps no HTML.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    post: &mut Post<'_>,
    list: &List<'_>,
    site: &SiteValues,
    _context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    if !list.settings.scrub_nondigest.is_true("scrub_nondigest")? {
        return Ok(None);
    }
    let own_type = || post.outer().map(|part| part.content_type());
    if post.filtered_type.as_deref().or_else(own_type) != Some(b"text/html") {
        return Ok(None);
    }
    let sanitizer = site.known("ARCHIVE_HTML_SANITIZER")?;
    let removes = matches!(sanitizer, PyValue::Int(0) | PyValue::Bool(false));
    Ok(removes.then(|| Verdict::of(Decision::Discard, Rule::ScrubNondigest)))
}
