//! Does it carry a password of the list? (`Mailman.Handlers.Approve`; RULES 6.11-6.14.)

mod line;
mod part_text;
mod removal;

use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::passwords::{self, Response};
use crate::mailman::patterns::Context;
use crate::mailman::post::{Approval, Extent, Post};
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};
use crate::python::Python;
use crate::python::text::PyStr;
use line::Found;

/// Headers that may carry a password; only the first that is there counts, even if it is empty.
const HEADERS: [&str; 4] = ["approved", "approve", "x-approved", "x-approve"];

/// Handlers that let a post pass which has a right password.
const LENIENT: &[&str] = &["Moderate", "Hold", "Emergency"];

/// The handler. A right password approves; a post that has been here before goes no further,
/// approved or not.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    post: &mut Post<'_>,
    list: &List<'_>,
    _site: &SiteValues,
    context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    let value = HEADERS.iter().find_map(|name| post.header(name));
    let response = match value {
        Some(value) => Some(Response::header(value, post.python)),
        None => match response_in_body(post, list, context)? {
            Ok(response) => response,
            Err(reject) => return Ok(Some(reject)),
        },
    };
    if let Some(response) = response {
        match passwords::authenticates(list, &response, post.python) {
            Ok(true) => {
                context.trail.push("the message has a password of the list".into());
                post.approval = Approval::Given;
            }
            Ok(false) => context.trail.push("the message has a wrong password".into()),
            Err(Stop::Unknowable(why)) => post.doubt_in(LENIENT, Decision::Accept, why),
            Err(shunt) => return Err(shunt),
        }
    }
    Ok(been_here(post, list)?.then(|| Verdict::of(Decision::Discard, Rule::BeenThere)))
}

/// The password in the body, if there is one: then the line and its copies are taken out, or the
/// post is rejected because they cannot be.
fn response_in_body(
    post: &mut Post<'_>,
    list: &List<'_>,
    context: &mut Context<'_>,
) -> Result<Result<Option<Response>, Verdict>, Stop> {
    let line = match line::find(post)? {
        Found::None => return Ok(Ok(None)),
        Found::Unseen if post.no_approval_in_body => return Ok(Ok(None)),
        Found::Unseen => {
            if passwords::is_any_possible(list, post.python) {
                let why = "the part of the body that is not here may have a password of the list";
                post.doubt_in(LENIENT, Decision::Accept, why);
            }
            return Ok(Ok(None));
        }
        Found::Line(line) => line,
    };
    if post.extent == Extent::Beginning {
        let why = "the body loses its Approved: lines before its size is counted";
        post.doubt_in(&["Hold"], Decision::Accept, why);
    } else if removal::remove(post, &line, context)? == removal::Outcome::Stuck {
        return Ok(Err(Verdict::default_rejection(Rule::ApprovedInHtml)));
    }
    Ok(Ok(Some(Response::Text(line.password))))
}

/// Whether one of its `X-BeenThere:` headers names the list's posting address.
fn been_here(post: &Post<'_>, list: &List<'_>) -> Result<bool, Stop> {
    let host = match list.settings.host_name.reached("host_name")? {
        PyValue::Str(host) => host.clone(),
        PyValue::None => PyStr::Bytes(b"None".to_vec()),
        PyValue::Int(number) => PyStr::Bytes(number.to_string().into_bytes()),
        // No header holds such an address.
        _ => PyStr::Bytes(Vec::new()),
    };
    let address = [list.name.as_bytes(), b"@", host.as_bytes()].concat();
    // Python 2 finds text equal to bytes in ASCII only.
    if matches!((post.python, &host), (Python::Two, PyStr::Text(text)) if !text.is_ascii()) {
        return Ok(false);
    }
    let odd = || Stop::Shunt("an X-BeenThere: that is not in UTF-8".into());
    let native = |value: &[u8]| PyStr::native(value, post.python).ok_or_else(odd);
    let values = post.headers("x-beenthere");
    let values = values.into_iter().map(native).collect::<Result<Vec<PyStr>, Stop>>()?;
    let Some(address) = PyStr::native(&address, post.python) else { return Ok(false) };
    let address = address.lower(post.python);
    Ok(values.iter().any(|value| value.strip(post.python).lower(post.python) == address))
}
