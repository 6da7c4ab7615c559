//! A request as it comes, made into a question (docs/protocol.md). Pure.

use crate::answer::Policy;
use crate::mailman::post::DmarcPolicy;
use crate::python::Python;
use crate::query::given::{Given, Parts};
use crate::query::message::from_line;
use crate::report::Style;
use crate::serve::fields::Fields;

/// The version of the protocol.
pub const VERSION: &str = "1";

/// From this length on Exim may have cut a block of headers.
const EXIM_CUT: usize = 65_535;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `test-sender`
    Sender(SenderQuestion),
    /// `test-message`
    Message(Box<MessageQuestion>),
    /// `list-domain`
    Domain(DomainQuestion),
    /// `test-subscribe`
    Subscribe(SubscribeQuestion),
    /// `ping`
    Ping,
    /// `status`
    Status,
    /// `metrics`
    Metrics,
}

/// May a message with these senders be posted?
#[derive(Debug, PartialEq, Eq)]
pub struct SenderQuestion {
    /// The list's name.
    pub list: Vec<u8>,
    /// What is known of the senders.
    pub given: Given,
    /// The message may carry an approval.
    pub approved: bool,
    /// How the answer is wanted.
    pub style: Style,
}

/// May this message be posted?
#[derive(Debug, PartialEq, Eq)]
pub struct MessageQuestion {
    /// The list's name.
    pub list: Vec<u8>,
    /// The message as Mailman would read it, as far as it is there.
    pub raw: Vec<u8>,
    /// All of the body is there.
    pub complete: bool,
    /// Exim may have cut the headers.
    pub cut: bool,
    /// `Some(true)`: the message may carry an approval. `Some(false)`: there is none in its body.
    pub approved: Option<bool>,
    /// The headers that tell the senders, by themselves; for a block that was cut.
    pub given: Option<Given>,
    /// What DNS says.
    pub dmarc: Option<DmarcPolicy>,
    /// Whose rules apply.
    pub dialect: Option<Python>,
    /// How the answer is wanted.
    pub style: Style,
}

/// Which domain has this list?
#[derive(Debug, PartialEq, Eq)]
pub struct DomainQuestion {
    /// The list's name.
    pub list: Vec<u8>,
    /// The domain that it should have.
    pub domain: Option<Vec<u8>>,
    /// One JSON object is wanted.
    pub json: bool,
}

/// May this address subscribe?
#[derive(Debug, PartialEq, Eq)]
pub struct SubscribeQuestion {
    /// The list's name.
    pub list: Vec<u8>,
    /// The address.
    pub address: Vec<u8>,
    /// Whose rules apply.
    pub dialect: Option<Python>,
    /// One JSON object is wanted.
    pub json: bool,
    /// What was checked is wanted.
    pub explain: bool,
}

impl Request {
    /// The list that is asked about, if one is.
    pub fn list(&self) -> Option<&[u8]> {
        match self {
            Request::Sender(question) => Some(&question.list),
            Request::Message(question) => Some(&question.list),
            Request::Domain(question) => Some(&question.list),
            Request::Subscribe(question) => Some(&question.list),
            Request::Ping | Request::Status | Request::Metrics => None,
        }
    }
}

/// Where a request ends, if its end has come: behind the empty line. Nothing before `from` needs to
/// be looked at again.
pub fn end(bytes: &[u8], from: usize) -> Option<usize> {
    if bytes.starts_with(b"\n") {
        return Some(1);
    }
    if bytes.starts_with(b"\r\n") {
        return Some(2);
    }
    let from = from.saturating_sub(2);
    let rest = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', rest).find_map(|at| match rest.get(at + 1..) {
        Some([b'\n', ..]) => Some(from + at + 2),
        Some([b'\r', b'\n', ..]) => Some(from + at + 3),
        _ => None,
    })
}

/// Reads a request, with or without the empty line behind it.
///
/// # Errors
/// What is wrong with it, for the client's log; may repeat bytes of it.
pub fn parse(bytes: &[u8]) -> Result<Request, String> {
    let mut fields = Fields::split(bytes)?;
    let query = fields.query(VERSION)?;
    let request = match query.as_str() {
        "test-sender" => sender(&mut fields)?,
        "test-message" => message(&mut fields)?,
        "list-domain" => Request::Domain(DomainQuestion {
            list: fields.required("list")?,
            domain: fields.one("domain")?,
            json: fields.flag("json")?.unwrap_or(false),
        }),
        "test-subscribe" => subscribe(&mut fields)?,
        "ping" => Request::Ping,
        "status" => Request::Status,
        "metrics" => Request::Metrics,
        _ => return Err(format!("no such query: {query}")),
    };
    fields.finish()?;
    Ok(request)
}

fn sender(fields: &mut Fields<'_>) -> Result<Request, String> {
    let approved = fields.flag("approved")?.unwrap_or(false);
    let mut parts = senders(fields)?;
    parts.addresses = fields.all("address")?;
    let named = parts.envelope.is_some()
        || [&parts.from, &parts.sender, &parts.reply_to].iter().any(|h| !h.is_empty());
    if named && !parts.addresses.is_empty() {
        return Err("address does not go with headers and envelope-from".into());
    }
    let given = Given::from_parts(parts, approved).ok_or("no sender given")?;
    let (list, style) = (fields.required("list")?, style(fields)?);
    Ok(Request::Sender(SenderQuestion { list, given, approved, style }))
}

/// Headers plain, or as lists of Exim's.
fn senders(fields: &mut Fields<'_>) -> Result<Parts, String> {
    let mut lists = |key: &str| fields.coded(key);
    let exim = [lists("from")?, lists("sender")?, lists("reply-to")?];
    let mut plain = |key: &str| fields.plain_headers(key);
    let single = [plain("from")?, plain("sender")?, plain("reply-to")?];
    let exim_lists = exim.iter().any(|values| !values.is_empty());
    if exim_lists && single.iter().any(|values| !values.is_empty()) {
        return Err("headers both as they are and as lists of Exim's".into());
    }
    let [from, sender, reply_to] = if exim_lists { exim } else { single };
    let envelope = fields.one("envelope-from")?;
    Ok(Parts { addresses: Vec::new(), envelope, from, sender, reply_to, exim_lists })
}

fn message(fields: &mut Fields<'_>) -> Result<Request, String> {
    let approved = fields.flag("approved")?;
    let parts = senders(fields)?;
    let mut raw = match &parts.envelope {
        Some(sender) => from_line(sender).ok_or("envelope-from: more than one line")?,
        None => Vec::new(),
    };
    let block = fields.required("headers")?;
    let cut = fields.flag("headers-cut")?.unwrap_or(false) || block.len() >= EXIM_CUT;
    raw.extend_from_slice(&block);
    if !block.is_empty() && !block.ends_with(b"\n") {
        raw.push(b'\n');
    }
    if !(block.ends_with(b"\n\n") || block.ends_with(b"\n\r\n")) {
        raw.push(b'\n');
    }
    raw.extend_from_slice(&fields.one("body")?.unwrap_or_default());
    let complete = fields.flag("body-complete")?.unwrap_or(false);
    let dmarc = fields.word("dmarc-policy", |word| match word {
        "none" => Some(DmarcPolicy::None),
        "quarantine" => Some(DmarcPolicy::Quarantine),
        "reject" => Some(DmarcPolicy::Reject),
        _ => None,
    })?;
    let dialect = dialect(fields)?;
    let given = Given::from_parts(parts, approved == Some(true));
    let (list, style) = (fields.required("list")?, style(fields)?);
    Ok(Request::Message(Box::new(MessageQuestion {
        list,
        raw,
        complete,
        cut,
        approved,
        given,
        dmarc,
        dialect,
        style,
    })))
}

fn subscribe(fields: &mut Fields<'_>) -> Result<Request, String> {
    let (json, explain) = (fields.flag("json")?, fields.flag("explain")?);
    let (json, explain) = (json.unwrap_or(false), explain.unwrap_or(false));
    if json && explain {
        return Err("json does not go with explain".into());
    }
    let (list, address) = (fields.required("list")?, fields.required("address")?);
    let dialect = dialect(fields)?;
    Ok(Request::Subscribe(SubscribeQuestion { list, address, dialect, json, explain }))
}

fn dialect(fields: &mut Fields<'_>) -> Result<Option<Python>, String> {
    fields.word("dialect", |word| match word {
        "2.1" => Some(Python::Two),
        "2.2" => Some(Python::Three),
        _ => None,
    })
}

fn style(fields: &mut Fields<'_>) -> Result<Style, String> {
    let refuse = |word: &str| match word {
        "refuse" => Some(true),
        "permit" => Some(false),
        _ => None,
    };
    let policy = Policy {
        refuse_held: fields.word("held", refuse)?.unwrap_or(false),
        refuse_discarded: fields.word("discarded", refuse)?.unwrap_or(true),
    };
    let mut flag = |key| Ok::<_, String>(fields.flag(key)?.unwrap_or(false));
    let style =
        Style { policy, json: flag("json")?, explain: flag("explain")?, utf8: flag("utf8")? };
    if style.json && style.explain {
        return Err("json does not go with explain".into());
    }
    Ok(style)
}
