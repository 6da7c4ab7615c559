//! Is it what the site throws away? (`mm_cfg.KNOWN_SPAMMERS`; RULES 6.6.)

use crate::list::value::PyValue;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};
use crate::python::re::{Answer, CompileError, Flags};
use crate::python::text::PyStr;

/// The verdict, and whether a pattern was searched for at all, which the header filters look at.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception: also for a pattern that is none.
pub(super) fn judge(
    post: &Post<'_>,
    site: &SiteValues,
    context: &mut Context<'_>,
) -> Result<(Option<Verdict>, bool), Stop> {
    let mut has_searched = false;
    let shunt = |why: &str| Stop::Shunt(format!("KNOWN_SPAMMERS of the site {why}"));
    let entries = site.known("KNOWN_SPAMMERS")?.iterate();
    for entry in entries.ok_or_else(|| shunt("is no list"))? {
        let parts = entry.iterate().unwrap_or_default();
        let [PyValue::Str(name), PyValue::Str(regex)] = parts.as_slice() else {
            return Err(shunt("has an entry that is no pair of strings"));
        };
        let flags = Flags { ignore_case: true, ..Flags::default() };
        let compiled = context.budget.compile(&of_this_python(regex, post), flags, post.python);
        let pattern = match &*compiled {
            Ok(pattern) => pattern,
            Err(CompileError::Invalid(why) | CompileError::Crash(why)) => {
                return Err(shunt(&format!("has a pattern that fails: {why}")));
            }
        };
        for value in post.headers(&name.to_lossy()) {
            let unknown = || Stop::Shunt("a header of KNOWN_SPAMMERS is not in UTF-8".into());
            let subject = PyStr::native(value, post.python).ok_or_else(unknown)?;
            has_searched = true;
            match pattern.answer(&subject, context.budget) {
                Answer::Match => {
                    let verdict = Verdict::of(Decision::Discard, Rule::KnownSpammers);
                    return Ok((Some(Verdict { entry: Some(regex.clone()), ..verdict }), true));
                }
                Answer::NoMatch => {}
                Answer::Invalid(why) | Answer::Crash(why) => {
                    return Err(shunt(&format!("has a pattern that fails: {why}")));
                }
                Answer::OverBudget => {
                    let why = "a pattern of KNOWN_SPAMMERS takes too long to search for";
                    return Err(Stop::Unknowable(why.into()));
                }
            }
        }
    }
    Ok((None, has_searched))
}

/// The file is read as Python 2 where it can be; to the port its strings are text.
fn of_this_python(regex: &PyStr, post: &Post<'_>) -> PyStr {
    match (post.python, regex) {
        (crate::python::Python::Three, PyStr::Bytes(bytes)) => {
            PyStr::Text(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => regex.clone(),
    }
}
