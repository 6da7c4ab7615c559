//! Does anything of it stay? (`Mailman.Handlers.MimeDel`; RULES 6.24-6.26.)

mod alternatives;
mod extension;
mod filter;

use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::{Extent, Post};
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};
use filter::{Filter, Verdict as Kept};

/// The handler: content filtering may dispose of the whole message, approved or not.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    post: &mut Post<'_>,
    list: &List<'_>,
    site: &SiteValues,
    context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    if !list.settings.filter_content.is_true("filter_content")? {
        return Ok(None);
    }
    let filter = Filter::new(list)?;
    if let Kept::No(rule) = filter.judge(post, 0)? {
        return disposed(rule, list).map(Some);
    }
    if post.extent == Extent::Beginning {
        // Taking parts out of what is not all there tells nothing.
        return Ok(None);
    }
    let kept = filter.kept_parts(post)?;
    let outer = kept.first();
    if outer.is_some_and(|outer| outer.had_parts && outer.children.is_empty()) {
        context.trail.push("content filtering takes out all parts".into());
        return disposed(Rule::FilterContent, list).map(Some);
    }
    post.filtered_type = Some(alternatives::convert(post, &kept, list, site)?);
    Ok(None)
}

/// `dispose`: a rejection, or a discard of which the owners may get a copy.
fn disposed(rule: Rule, list: &List<'_>) -> Result<Verdict, Stop> {
    let action = list.settings.filter_action.reached("filter_action")?.number();
    Ok(match action {
        Some(1.0) => Verdict::default_rejection(rule),
        _ => Verdict::of(Decision::Discard, rule),
    })
}
