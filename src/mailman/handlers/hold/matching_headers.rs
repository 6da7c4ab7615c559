//! Does a header match a pattern of the list? (`MailList.hasMatchingHeader`; RULES 6.20.)

use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::re::{Answer, CompileError, Compiled, Flags};
use crate::python::text::PyStr;
use std::sync::Arc;

/// A header's name, and what its value is searched for.
struct Line {
    name: String,
    pattern: Arc<Compiled>,
    text: PyStr,
}

/// The line of `bounce_matching_headers` that matches, if one does.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or a pattern's answer costs too much.
pub(super) fn find(
    post: &Post<'_>,
    list: &List<'_>,
    context: &mut Context<'_>,
) -> Result<Option<PyStr>, Stop> {
    let setting = list.settings.bounce_matching_headers.reached("bounce_matching_headers")?;
    let PyValue::Str(setting) = setting else {
        return Err(Stop::Shunt("bounce_matching_headers is no text".into()));
    };
    for line in compile(setting, context)? {
        let Ok(pattern) = &*line.pattern else { continue };
        for value in post.headers(&line.name) {
            let Some(subject) = PyStr::native(value, context.python) else {
                return Err(Stop::Shunt(format!("a header {} is not in UTF-8", line.name)));
            };
            match pattern.answer(&subject, context.budget) {
                Answer::Match => return Ok(Some(line.text)),
                Answer::NoMatch | Answer::Invalid(_) => {}
                Answer::Crash(why) => return Err(Stop::Shunt(failed(&line.text, why))),
                Answer::OverBudget => {
                    let why = "takes too long to search for";
                    return Err(Stop::Unknowable(failed(&line.text, why)));
                }
            }
        }
    }
    Ok(None)
}

/// All lines, in order; one that Python cannot compile is skipped, or shunts all posts.
fn compile(setting: &PyStr, context: &mut Context<'_>) -> Result<Vec<Line>, Stop> {
    let mut lines = Vec::new();
    for line in pieces(setting) {
        let line = line.strip(context.python);
        if line.is_empty() || line.as_bytes().starts_with(b"#") {
            continue;
        }
        let Some((name, value)) = split_colon(&line, context.python) else {
            context.trail.push(format!("bounce_matching_headers: no header in {}", shown(&line)));
            continue;
        };
        let flags = Flags { ignore_case: true, ..Flags::default() };
        let pattern = context.budget.compile(&value, flags, context.python);
        match &*pattern {
            Ok(_) => lines.push(Line { name, pattern, text: line }),
            Err(CompileError::Invalid(why)) => {
                let line = shown(&line);
                context.trail.push(format!("bounce_matching_headers: {line} is invalid ({why})"));
            }
            Err(CompileError::Crash(why)) => return Err(Stop::Shunt(failed(&line, why))),
        }
    }
    Ok(lines)
}

fn shown(line: &PyStr) -> String {
    line.to_lossy().into_owned()
}

fn failed(line: &PyStr, why: &str) -> String {
    format!("bounce_matching_headers: {} {why}", shown(line))
}

/// `setting.split('\n')`
fn pieces(setting: &PyStr) -> Vec<PyStr> {
    match setting {
        PyStr::Bytes(b) => {
            b.split(|byte| *byte == b'\n').map(|line| PyStr::Bytes(line.to_vec())).collect()
        }
        PyStr::Text(t) => t.split('\n').map(|line| PyStr::Text(line.to_owned())).collect(),
    }
}

/// The name as it is written, and the pattern without blanks before it.
fn split_colon(line: &PyStr, python: Python) -> Option<(String, PyStr)> {
    let at = line.as_bytes().iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8_lossy(line.as_bytes().get(..at)?).into_owned();
    // The line is stripped, so that stripping the rest takes nothing off its end.
    let value = match line {
        PyStr::Bytes(b) => PyStr::Bytes(b.get(at + 1..)?.to_vec()),
        PyStr::Text(t) => PyStr::Text(t.get(at + 1..)?.to_owned()),
    };
    Some((name, value.strip(python)))
}
