//! Does it name the list? (`MailList.HasExplicitDest`; RULES 6.19.)

use super::recipients::addresses;
use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::verdict::Stop;
use crate::python::re::{self, Answer, Flags};
use crate::python::text::{PyStr, split_lines};

/// Whether a recipient is the list, whatever the domain, or matches `acceptable_aliases`.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or a pattern's answer costs too much.
pub(super) fn is_explicit(
    post: &Post<'_>,
    list: &List<'_>,
    context: &mut Context<'_>,
) -> Result<bool, Stop> {
    let mut recipients = Vec::new();
    let mut found = Vec::new();
    for name in ["to", "cc", "resent-to", "resent-cc"] {
        found.extend(addresses(&post.headers(name), post.python)?);
    }
    for mailbox in found {
        let unknown = || Stop::Shunt("a recipient is not in UTF-8".into());
        let address = PyStr::native(&mailbox.address, post.python).ok_or_else(unknown)?;
        let address = address.lower(post.python);
        let local = before_at(&address);
        if local.as_bytes() == list.name.as_bytes() {
            return Ok(true);
        }
        recipients.push((address, local));
    }
    let aliases = match list.settings.acceptable_aliases.reached("acceptable_aliases")? {
        PyValue::Str(aliases) => aliases,
        _ => return Err(Stop::Shunt("acceptable_aliases is no text".into())),
    };
    let aliases: Vec<PyStr> = split_lines(aliases)
        .iter()
        .map(|line| line.strip(post.python))
        .filter(|alias| !alias.is_empty())
        .collect();
    for (address, local) in &recipients {
        for alias in &aliases {
            let on_local = !alias.as_bytes().contains(&b'@') && matches(alias, local, context)?;
            if on_local || matches(alias, address, context)? {
                context.trail.push(format!("alias {} is among them", alias.to_lossy()));
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// `address.split('@')[0]`
fn before_at(address: &PyStr) -> PyStr {
    let at = address.as_bytes().iter().position(|byte| *byte == b'@');
    match (address, at) {
        (_, None) => address.clone(),
        (PyStr::Bytes(b), Some(at)) => PyStr::Bytes(b.get(..at).unwrap_or(b).to_vec()),
        (PyStr::Text(t), Some(at)) => PyStr::Text(t.get(..at).unwrap_or(t).to_owned()),
    }
}

/// Whether the pattern, or where it is none, its text, is what the address begins with.
fn matches(alias: &PyStr, address: &PyStr, context: &mut Context<'_>) -> Result<bool, Stop> {
    let answer = match match_start(alias, address, context) {
        Answer::Invalid(_) => match_start(&re::escape(alias), address, context),
        answer => answer,
    };
    let shown = || format!("alias {}", alias.to_lossy());
    match answer {
        Answer::Match => Ok(true),
        Answer::NoMatch | Answer::Invalid(_) => Ok(false),
        Answer::Crash(why) => Err(Stop::Shunt(format!("{} fails in Python: {why}", shown()))),
        Answer::OverBudget => {
            Err(Stop::Unknowable(format!("{} takes too long to search for", shown())))
        }
    }
}

fn match_start(pattern: &PyStr, subject: &PyStr, context: &mut Context<'_>) -> Answer {
    let flags = Flags { ignore_case: true, ..Flags::default() };
    re::match_start(pattern, subject, flags, context.python, context.budget)
}
