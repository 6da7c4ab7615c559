//! What do the list's own filters say? (`header_filter_rules`; RULES 6.7-6.10.)

mod pattern;

use super::header_text::{NoText, header_text};
use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::language;
use crate::mailman::patterns::Context;
use crate::mailman::post::{Extent, Post};
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Notice, Rule, Stop, Verdict};
use crate::python::re::{self, Answer, Flags};
use crate::python::text::PyStr;
use crate::python::words::normalize::Form;
use pattern::Line;

/// The verdict of the first rule that matches and has an action of its own.
///
/// `has_searched`: whether `KNOWN_SPAMMERS` left a result behind, which is what an invalid pattern
/// at the top is taken to have found.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub(super) fn judge(
    post: &mut Post<'_>,
    list: &List<'_>,
    site: &SiteValues,
    has_searched: bool,
    context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    let language = match list.settings.preferred_language.reached("preferred_language")? {
        PyValue::Str(code) if language::is_known(code.as_bytes()) => code.as_bytes(),
        _ => {
            let why = "the site may not know the list's preferred_language".to_owned();
            return Err(Stop::Unknowable(why));
        }
    };
    let rules = list.settings.header_filter_rules.reached("header_filter_rules")?;
    let form = normal_form(site)?;
    let text = text_of_all(post, form)?;
    let rules = rules.iterate().ok_or_else(|| shunt("is no list"))?;
    let mut search = Search { text, form, language, last: has_searched.then_some(false) };
    let unseen = post.extent == Extent::Beginning
        && post.outer().is_some_and(|part| matches!(part.maintype(), b"multipart" | b"message"));
    for rule in rules {
        let parts = rule.iterate().unwrap_or_default();
        let [patterns, action, _] = parts.as_slice() else {
            return Err(shunt("has a rule that is no triple"));
        };
        let action = action.number();
        if action == Some(0.0) {
            continue;
        }
        if unseen && (action == Some(7.0) || action == Some(6.0)) {
            // An accepting rule spares a message only the rules behind it.
            let milder = if action == Some(7.0) { Decision::Hold } else { Decision::Accept };
            post.doubt(milder, "header_filter_rules may match a part that is not there");
        }
        for line in pattern::lines(patterns, post.python)? {
            if !search.matches(&line, post, context)? {
                continue;
            }
            let shown = line.text.to_lossy().into_owned();
            context.trail.push(format!("header_filter_rules: {shown} matches"));
            if unseen && !pattern::is_sure_on_a_beginning(&line.text) {
                post.doubt(Decision::Accept, "more headers may keep a filter from matching");
            }
            let verdict = |decision| {
                let verdict = Verdict::of(decision, Rule::HeaderFilterRules);
                Ok(Some(Verdict { entry: Some(line.text.clone()), ..verdict }))
            };
            match action {
                Some(3.0) => return verdict(Decision::Discard),
                Some(2.0) => {
                    return verdict(Decision::Reject).map(|found| {
                        found.map(|verdict| Verdict { notice: Notice::Default, ..verdict })
                    });
                }
                Some(7.0) => return verdict(Decision::Hold),
                Some(6.0) => return Ok(None),
                _ => {}
            }
        }
    }
    Ok(None)
}

fn shunt(why: &str) -> Stop {
    Stop::Shunt(format!("header_filter_rules {why}"))
}

fn normal_form(site: &SiteValues) -> Result<Form, Stop> {
    match site.known("NORMALIZE_FORM")? {
        PyValue::Str(form) => match form.as_bytes() {
            b"NFC" => Ok(Form::Nfc),
            b"NFD" => Ok(Form::Nfd),
            b"NFKC" => Ok(Form::Nfkc),
            b"NFKD" => Ok(Form::Nfkd),
            _ => Err(Stop::Shunt("NORMALIZE_FORM of the site is no form".into())),
        },
        _ => Err(Stop::Shunt("NORMALIZE_FORM of the site is no string".into())),
    }
}

/// The headers of all parts as one text; nothing where a charset's text cannot be told.
///
/// # Errors
/// [`Stop::Shunt`] for an encoded word that Mailman fails on, be there rules or not.
fn text_of_all(post: &Post<'_>, form: Form) -> Result<Option<PyStr>, Stop> {
    let mut text = Some(String::new());
    for header in post.message.parts().iter().flat_map(|part| part.headers.iter()) {
        let value = match header_text(header.value, form, post.python) {
            Ok(Some(value)) => value,
            // The port leaves such a header out.
            Ok(None) => continue,
            Err(NoText::Unknowable) => {
                text = None;
                continue;
            }
            Err(NoText::Shunt) => {
                let name = String::from_utf8_lossy(header.name);
                let why = format!("header {name} has an encoded word that Mailman fails on");
                return Err(Stop::Shunt(why));
            }
        };
        if let Some(text) = &mut text {
            text.push_str(&String::from_utf8_lossy(header.name));
            text.push_str(": ");
            text.push_str(&value);
            text.push('\n');
        }
    }
    Ok(text.map(PyStr::Text))
}

/// The text, and what the last pattern found in it.
struct Search<'a> {
    text: Option<PyStr>,
    form: Form,
    language: &'a [u8],
    last: Option<bool>,
}

impl Search<'_> {
    /// Whether Mailman takes the line for a match. It takes an invalid one for what the pattern
    /// before it found, and fails where there was none.
    fn matches(
        &mut self,
        line: &Line,
        post: &Post<'_>,
        context: &mut Context<'_>,
    ) -> Result<bool, Stop> {
        let Some(text) = &self.text else {
            let why = "a header is in a charset that is not followed";
            return Err(Stop::Unknowable(why.into()));
        };
        let flags = Flags { ignore_case: true, multiline: true, unicode: true };
        let mut answers = Vec::new();
        for pattern in line.readings(self.language, self.form, post.python)? {
            let answer = re::search(&pattern, text, flags, post.python, context.budget);
            answers.push(match answer {
                Answer::Match => Some(true),
                Answer::NoMatch => Some(false),
                Answer::Invalid(why) => {
                    let line = line.text.to_lossy();
                    context.trail.push(format!("header_filter_rules: {line} is invalid ({why})"));
                    None
                }
                Answer::Crash(why) => {
                    return Err(shunt(&format!("has a pattern that fails: {why}")));
                }
                Answer::OverBudget => {
                    let why = "a pattern of header_filter_rules takes too long to search for";
                    return Err(Stop::Unknowable(why.into()));
                }
            });
        }
        let Some((first, others)) = answers.split_first() else { return Ok(false) };
        if others.iter().any(|other| other != first) {
            let why = "a filter pattern's meaning depends on the charset of the site's language";
            return Err(Stop::Unknowable(why.into()));
        }
        if first.is_some() {
            self.last = *first;
        }
        self.last.ok_or_else(|| shunt("begins with an invalid pattern, which Mailman fails on"))
    }
}
