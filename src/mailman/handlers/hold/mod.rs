//! Must a moderator look at it? (`Mailman.Handlers.Hold`; RULES 6.17-6.23.)
//!
//! A hold that Mailman would then fail to prepare, and so shunt, is a hold here.

mod administrivia;
mod destination;
mod matching_headers;
mod recipients;
mod size;

use crate::list::settings::Setting;
use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::{Approval, Extent, Post};
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};
use crate::python::Python;

/// The handler: the first of its rules that applies holds the post.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    post: &mut Post<'_>,
    list: &List<'_>,
    site: &SiteValues,
    context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    if post.approval == Approval::Given {
        return Ok(None);
    }
    let settings = list.settings;
    if settings.administrivia.is_true("administrivia")? {
        if post.extent == Extent::Beginning {
            post.doubt(Decision::Hold, "the body may look like a command (administrivia)");
        } else if administrivia::is_administrivia(post, site)? {
            return Ok(held(Rule::Administrivia));
        }
    }
    let python = context.python;
    if let Some(most) = limit(&settings.max_num_recipients, "max_num_recipients", python)? {
        let recipients = recipients::count(post)?;
        context.trail.push(format!("max_num_recipients: {recipients} in To and Cc"));
        if recipients >= most {
            return Ok(held(Rule::MaxNumRecipients));
        }
    }
    if settings.require_explicit_destination.is_true("require_explicit_destination")?
        && !destination::is_explicit(post, list, context)?
    {
        return Ok(held(Rule::RequireExplicitDestination));
    }
    let matching = &settings.bounce_matching_headers;
    if matching.is_true("bounce_matching_headers")?
        && let Some(line) = matching_headers::find(post, list, context)?
    {
        return Ok(held(Rule::BounceMatchingHeaders)
            .map(|verdict| Verdict { entry: Some(line), ..verdict }));
    }
    if let Some(most) = limit(&settings.max_message_size, "max_message_size", python)? {
        let bytes = size::of_bodies(post)?;
        context.trail.push(format!("max_message_size: the bodies have {bytes} bytes"));
        if bytes / 1024.0 > most {
            return Ok(held(Rule::MaxMessageSize));
        }
        if post.extent == Extent::Beginning {
            post.doubt(Decision::Hold, "the message may be too large (max_message_size)");
        }
    }
    let news = &settings.news_moderation;
    if settings.gateway_to_news.is_true("gateway_to_news")?
        && news.reached("news_moderation")?.number() == Some(2.0)
    {
        return Ok(held(Rule::NewsModeration));
    }
    Ok(None)
}

fn held(rule: Rule) -> Option<Verdict> {
    Some(Verdict::of(Decision::Hold, rule))
}

/// A limit above 0. Python 2 compares a value that is no number by its type's name, so that nothing
/// is ever over it; Python 3 raises TypeError.
fn limit(setting: &Setting, name: &str, python: Python) -> Result<Option<f64>, Stop> {
    match setting.reached(name)?.number() {
        Some(most) => Ok(Some(most).filter(|most| *most > 0.0)),
        None if python == Python::Two => Ok(None),
        None => Err(Stop::Shunt(format!("{name} is no number"))),
    }
}
