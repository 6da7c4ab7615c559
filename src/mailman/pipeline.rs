//! Which handlers a post passes through (`IncomingRunner._get_pipeline`; RULES 6.1), and what they
//! make of it.

use crate::list::value::PyValue;
use crate::mailman::handlers::{BY_NAME, Handler, List, moderate, trusted};
use crate::mailman::mailing::can_reject;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};
use crate::python::text::PyStr;

/// Mailman's handlers that neither decide over a post nor change what those that do look at.
const SILENT: [&str; 17] = [
    "Replybot",
    "Tagger",
    "AvoidDuplicates",
    "Cleanse",
    "CleanseDKIM",
    "CookHeaders",
    "ToDigest",
    "ToArchive",
    "ToUsenet",
    "AfterDelivery",
    "Acknowledge",
    "WrapMessage",
    "ToOutgoing",
    "Decorate",
    "SMTPDirect",
    "Sendmail",
    // The filter that many sites add: what it holds or discards is unknown, but it lets nothing
    // pass that another handler would stop.
    "SpamAssassin",
];

/// What becomes of the post: the handlers' verdict in the order of the pipeline, or, where none of
/// them stops it, that it passed.
pub fn judge(
    post: &mut Post<'_>,
    list: &List<'_>,
    site: &SiteValues,
    context: &mut Context<'_>,
) -> Verdict {
    let verdict = match steps(list, site) {
        Ok(steps) => run(&steps, post, list, site, context),
        Err(stop) => stop.into(),
    };
    let milder = post.doubts.iter().find(|doubt| doubt.concerns(&verdict));
    match milder {
        None => verdict,
        Some(doubt) => {
            let word = verdict.decision.word();
            let why = format!("{word} by {}, but {}", verdict.rule.word(), doubt.why);
            Verdict::undecided(Rule::Unknowable, why)
        }
    }
}

/// A handler of the pipeline that matters.
enum Step {
    /// One of Mailman's, or the one that stands in its place.
    Known(&'static str, Handler),
    /// The site's own, by its name.
    Foreign(String),
}

/// The handlers that a post meets.
fn steps(list: &List<'_>, site: &SiteValues) -> Result<Vec<Step>, Stop> {
    let pipeline = match list.settings.pipeline.value() {
        Some(own) => own,
        None => site.known("GLOBAL_PIPELINE")?,
    };
    let entries = pipeline.iterate().unwrap_or_default();
    let name = |entry: &PyValue| match entry {
        PyValue::Str(name) => Some(name.as_bytes().to_vec()),
        _ => None,
    };
    let Some(names) = entries.iter().map(name).collect::<Option<Vec<_>>>() else {
        return Err(Stop::Unknowable("the pipeline is no list of names".into()));
    };
    let mut replaces_moderate =
        trusted::is_set_up(site) && !names.iter().any(|name| name == b"Moderate");
    let mut steps = Vec::new();
    for name in names {
        let known = BY_NAME.iter().find(|(known, _)| known.as_bytes() == name);
        match known {
            Some((name, handler)) => steps.push(Step::Known(name, *handler)),
            None if SILENT.iter().any(|silent| silent.as_bytes() == name) => {}
            // The site's handler that trusts servers stands in Moderate's place.
            None if replaces_moderate => {
                replaces_moderate = false;
                steps.push(Step::Known("Moderate", moderate::process));
            }
            None => steps.push(Step::Foreign(String::from_utf8_lossy(&name).into_owned())),
        }
    }
    Ok(steps)
}

/// The verdict of the first handler that comes to one.
fn run(
    steps: &[Step],
    post: &mut Post<'_>,
    list: &List<'_>,
    site: &SiteValues,
    context: &mut Context<'_>,
) -> Verdict {
    for step in steps {
        let (name, handler) = match step {
            Step::Known(name, handler) => (*name, handler),
            Step::Foreign(name) => {
                let why = format!("the pipeline has a handler {name} that is not Mailman's");
                return Verdict::undecided(Rule::Unknowable, why);
            }
        };
        let decided = handler(post, list, site, context);
        let mailed = decided.and_then(|verdict| match &verdict {
            Some(found) if found.decision == Decision::Reject => {
                can_reject(post, list, &found.notice).map(|()| verdict)
            }
            _ => Ok(verdict),
        });
        match mailed {
            Ok(None) => context.trail.push(format!("{name} lets it pass")),
            Ok(Some(verdict)) => return verdict,
            Err(stop) => return stop.within(name),
        }
    }
    Verdict::of(Decision::Accept, Rule::Passed)
}

/// Handlers that do not let a post past Moderate unless a moderator's password is in it: Mailman's
/// own that stand before it, and the filter that many sites add. What they hold or discard first
/// needs the whole message to tell.
const HARMLESS: [&str; 4] = ["SpamDetect", "SpamAssassin", "Approve", "Replybot"];

/// Why a post may not meet Moderate as it is, if that is so: the pipeline has none, or a handler
/// of the site's own comes before it, which can approve what it likes.
pub fn pipeline_doubt(pipeline: &PyValue) -> Option<String> {
    for handler in pipeline.iterate().unwrap_or_default() {
        match handler {
            PyValue::Str(name) if name.as_bytes() == b"Moderate" => return None,
            PyValue::Str(name) if is_harmless(&name) => {}
            PyValue::Str(name) => {
                return Some(format!("has a handler {} before Moderate", name.to_lossy()));
            }
            _ => return Some("is no list of names".to_owned()),
        }
    }
    Some("has no Moderate".to_owned())
}

fn is_harmless(name: &PyStr) -> bool {
    HARMLESS.iter().any(|handler| handler.as_bytes() == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt(handlers: &[&str]) -> Option<String> {
        let name = |h: &&str| PyValue::Str(PyStr::Bytes(h.as_bytes().to_vec()));
        pipeline_doubt(&PyValue::List(handlers.iter().map(name).collect()))
    }

    #[test]
    fn only_what_comes_before_moderate_matters() {
        assert_eq!(doubt(&["SpamDetect", "SpamAssassin", "Approve", "Moderate", "Mine"]), None);
        assert!(doubt(&["SpamDetect", "Mine", "Moderate"]).is_some());
        assert!(doubt(&["SpamDetect", "Approve"]).is_some());
        assert!(doubt(&[]).is_some());
        assert!(pipeline_doubt(&PyValue::None).is_some());
    }
}
