//! Which handlers a post passes through (`IncomingRunner._get_pipeline`; RULES 6.1).

use crate::list::value::PyValue;
use crate::python::text::PyStr;

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
