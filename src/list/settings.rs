//! The settings of one list that its posting rules ask for.

use crate::list::value::{PyValue, decode};
use crate::python::Python;
use serde_pickle::Value;
use std::collections::BTreeMap;

/// The data version that Mailman 2.1.39 and the port write (`DATA_FILE_VERSION`).
pub const DATA_VERSION: f64 = 112.0;

/// Attributes that Mailman needs merely to open a list (RULES 1.9; `MailList.CheckValues`).
const NEEDED_TO_OPEN: [&str; 3] = ["web_page_url", "reply_to_address", "topics"];

/// Attributes of Mailman 2.0, from which opening a list below version 112 derives others
/// (RULES 1.10; `versions.UpdateOldVars`).
const CONVERTED: [&str; 5] =
    ["moderated", "posters", "member_posting_only", "forbidden_posters", "bad_posters"];

/// A missing attribute, or one that another holds in its place.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// Present in the file, or filled in by Mailman when it opens the list.
    Value(PyValue),
    /// Absent: reading it raises AttributeError, and the message is shunted.
    Absent,
    /// Absent, and the site's default for it cannot be told from `mm_cfg.py`.
    Unknown,
}

impl Setting {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&PyValue> {
        match self {
            Setting::Value(value) => Some(value),
            Setting::Absent | Setting::Unknown => None,
        }
    }
}

/// What decides over a post, as the list's file has it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which Python wrote the file, and so which rules apply.
    pub python: Python,
    /// Whether Mailman puts something in the place of absent attributes.
    pub fills_absent: bool,
    /// The list's domain, any case.
    pub host_name: Setting,
    /// Groups of domains that count as one.
    pub equivalent_domains: Setting,
    /// 0 hold, 1 reject, 2 discard.
    pub member_moderation_action: Setting,
    /// The list's words for a moderated member.
    pub member_moderation_notice: Setting,
    /// 0 accept, 1 hold, 2 reject, 3 discard.
    pub generic_nonmember_action: Setting,
    /// The list's words for a nonmember.
    pub nonmember_rejection_notice: Setting,
    /// Nonmembers who may post.
    pub accept_these_nonmembers: Setting,
    /// Nonmembers whose posts are held.
    pub hold_these_nonmembers: Setting,
    /// Nonmembers whose posts are rejected.
    pub reject_these_nonmembers: Setting,
    /// Nonmembers whose posts are discarded.
    pub discard_these_nonmembers: Setting,
    /// Whether the owners get a copy of what is discarded.
    pub forward_auto_discards: Setting,
    /// The list's language, which tells the charset of its texts.
    pub preferred_language: Setting,
    /// The list's own pipeline of handlers.
    pub pipeline: Setting,
    /// Why Mailman would not open this list as it stands, or would change it first.
    pub obstacle: Option<String>,
}

impl Settings {
    /// The top-level keys of a `config.pck` that [`Settings::from_values`] wants.
    pub fn keys() -> Vec<&'static str> {
        let mut keys = vec![
            "data_version",
            "host_name",
            "equivalent_domains",
            "member_moderation_action",
            "member_moderation_notice",
            "generic_nonmember_action",
            "nonmember_rejection_notice",
            "accept_these_nonmembers",
            "hold_these_nonmembers",
            "reject_these_nonmembers",
            "discard_these_nonmembers",
            "forward_auto_discards",
            "preferred_language",
            "pipeline",
        ];
        keys.push("available_languages");
        keys.extend(NEEDED_TO_OPEN);
        keys.extend(CONVERTED);
        keys
    }

    /// Reads the settings, with what Mailman puts in the place of absent ones.
    ///
    /// `site_default` answers for an absent attribute of a list below version 112: the site's
    /// default, or `None` where `mm_cfg.py` sets it in a way that cannot be followed.
    pub fn from_values(
        values: &mut BTreeMap<String, Value>,
        python: Python,
        site_default: &dyn Fn(&str) -> Option<PyValue>,
    ) -> Settings {
        let obstacle = obstacle(values, python);
        let below = version(values).is_some_and(|v| v < DATA_VERSION);
        let mut take = |key: &str| match values.remove(key) {
            Some(value) => Setting::Value(decode(value)),
            None if key == "pipeline" => Setting::Absent,
            None => absent(key, python, below, site_default),
        };
        Settings {
            python,
            fills_absent: below || python == Python::Three,
            host_name: take("host_name"),
            equivalent_domains: take("equivalent_domains"),
            member_moderation_action: take("member_moderation_action"),
            member_moderation_notice: take("member_moderation_notice"),
            generic_nonmember_action: take("generic_nonmember_action"),
            nonmember_rejection_notice: take("nonmember_rejection_notice"),
            accept_these_nonmembers: take("accept_these_nonmembers"),
            hold_these_nonmembers: take("hold_these_nonmembers"),
            reject_these_nonmembers: take("reject_these_nonmembers"),
            discard_these_nonmembers: take("discard_these_nonmembers"),
            forward_auto_discards: take("forward_auto_discards"),
            preferred_language: take("preferred_language"),
            pipeline: take("pipeline"),
            obstacle,
        }
    }
}

fn version(values: &BTreeMap<String, Value>) -> Option<f64> {
    values.get("data_version").cloned().map(decode)?.number()
}

/// `MailList.__getattr__` of the port gives empty values instead of AttributeError; 2.1 fills in
/// defaults only when the file's version is an older one.
fn absent(
    key: &str,
    python: Python,
    below: bool,
    site_default: &dyn Fn(&str) -> Option<PyValue>,
) -> Setting {
    match python {
        Python::Three if key == "host_name" => {
            Setting::Value(PyValue::Str(crate::python::text::PyStr::Text(String::new())))
        }
        Python::Three => Setting::Value(PyValue::Int(0)),
        Python::Two if below => site_default(key).map_or(Setting::Unknown, Setting::Value),
        Python::Two => Setting::Absent,
    }
}

/// What keeps Mailman from opening the list as it stands, or makes it convert the list first.
fn obstacle(values: &BTreeMap<String, Value>, python: Python) -> Option<String> {
    let Some(version) = version(values) else {
        return Some("the list has no usable data_version, so Mailman cannot open it".into());
    };
    if version < DATA_VERSION && python == Python::Three {
        return Some(format!("the list has data_version {version}, which the port cannot open"));
    }
    if version < DATA_VERSION {
        let old = CONVERTED.iter().find(|key| values.contains_key(**key));
        return old.map(|key| {
            format!("Mailman converts this list of an older version first (it has '{key}')")
        });
    }
    if python == Python::Two {
        let needed = NEEDED_TO_OPEN.iter().chain(&["available_languages", "preferred_language"]);
        let mut missing = needed.filter(|key| !values.contains_key(**key));
        if let Some(key) = missing.next() {
            return Some(format!("the list has no {key}, so Mailman fails on every message"));
        }
    }
    odd_type(values, python)
}

/// An attribute of a type that Mailman fails on before any rule is asked (`MailList.CheckValues`,
/// `OldStyleMemberships.getMemberLanguage`).
fn odd_type(values: &BTreeMap<String, Value>, python: Python) -> Option<String> {
    let usable = |key: &str, value: PyValue| match (key, value) {
        ("web_page_url", PyValue::None) => python == Python::Three,
        ("preferred_language", PyValue::None) => true,
        ("web_page_url" | "reply_to_address" | "preferred_language", value) => {
            matches!(value, PyValue::Str(_))
        }
        (_, value) => matches!(value, PyValue::List(_)),
    };
    let keys =
        ["web_page_url", "reply_to_address", "preferred_language", "available_languages", "topics"];
    keys.iter()
        .find(|key| values.get(**key).is_some_and(|v| !usable(key, decode(v.clone()))))
        .map(|key| format!("the list's {key} has a type that Mailman cannot use"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock() -> BTreeMap<String, Value> {
        let text = |text: &str| Value::Bytes(text.as_bytes().to_vec());
        BTreeMap::from([
            ("data_version".to_owned(), Value::I64(112)),
            ("web_page_url".to_owned(), text("http://lists.example.org/mailman/")),
            ("reply_to_address".to_owned(), text("")),
            ("preferred_language".to_owned(), text("en")),
            ("available_languages".to_owned(), Value::List(vec![text("en")])),
            ("topics".to_owned(), Value::List(Vec::new())),
        ])
    }

    #[test]
    fn a_list_that_mailman_fails_on_has_an_obstacle() {
        assert_eq!(obstacle(&stock(), Python::Two), None);
        for key in ["web_page_url", "reply_to_address", "preferred_language", "topics"] {
            let mut absent = stock();
            absent.remove(key);
            assert!(obstacle(&absent, Python::Two).is_some(), "{key}");
            let mut odd = stock();
            odd.insert(key.to_owned(), Value::I64(7));
            assert!(obstacle(&odd, Python::Two).is_some(), "{key}");
            assert!(obstacle(&odd, Python::Three).is_some(), "{key}");
        }
    }
}
