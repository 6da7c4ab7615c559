//! The settings of one list that its posting rules ask for.

use crate::list::value::{PyValue, Reader, decode};
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::text::PyStr;
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

    /// The value, for a rule that has come to it.
    ///
    /// # Errors
    /// [`Stop::Shunt`] where it is absent: Mailman raises AttributeError.
    /// [`Stop::Unknowable`] where the site's default stands in its place and cannot be followed.
    pub fn reached(&self, name: &str) -> Result<&PyValue, Stop> {
        match self {
            Setting::Value(value) => Ok(value),
            Setting::Absent => Err(Stop::Shunt(format!("the list has no {name}"))),
            Setting::Unknown => {
                Err(Stop::Unknowable(format!("the site's default for {name} cannot be followed")))
            }
        }
    }

    /// Whether Python takes the value for true.
    ///
    /// # Errors
    /// As [`Setting::reached`]; [`Stop::Unknowable`] for an object whose truth cannot be told.
    pub fn is_true(&self, name: &str) -> Result<bool, Stop> {
        let unknown = || Stop::Unknowable(format!("the list's {name} is of an unknown type"));
        self.reached(name)?.truth().ok_or_else(unknown)
    }
}

/// Which of the settings a query asks for. The others are not read, so that nothing odd in them
/// keeps the query from its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What Moderate looks at.
    Senders,
    /// What the handlers of whole messages look at as well.
    Messages,
    /// What decides over a subscription.
    Subscriptions,
}

/// Declares [`Settings`]: attributes of a list by Mailman's own names.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $scope:ident,)*) => {
        /// What decides over a post, as the list's file has it.
        #[derive(Debug, Clone)]
        pub struct Settings {
            /// Which Python wrote the file, and so which rules apply.
            pub python: Python,
            /// Whether Mailman puts something in the place of absent attributes.
            pub fills_absent: bool,
            /// Why Mailman would not open this list as it stands, or would change it first.
            pub obstacle: Option<String>,
            $($(#[$doc])* pub $name: Setting,)*
        }

        /// The attributes that are asked for, and by which queries.
        const ATTRIBUTES: &[(&str, Scope)] = &[$((stringify!($name), Scope::$scope),)*];

        impl Settings {
            fn taken(
                python: Python,
                fills_absent: bool,
                obstacle: Option<String>,
                mut take: impl FnMut(&str) -> Setting,
            ) -> Settings {
                Settings { python, fills_absent, obstacle, $($name: take(stringify!($name)),)* }
            }
        }
    };
}

settings! {
    /// The list's domain, any case.
    host_name: Senders,
    /// Groups of domains that count as one.
    equivalent_domains: Senders,
    /// 0 hold, 1 reject, 2 discard.
    member_moderation_action: Senders,
    /// The list's words for a moderated member.
    member_moderation_notice: Senders,
    /// 0 accept, 1 hold, 2 reject, 3 discard.
    generic_nonmember_action: Senders,
    /// The list's words for a nonmember.
    nonmember_rejection_notice: Senders,
    /// Nonmembers who may post.
    accept_these_nonmembers: Senders,
    /// Nonmembers whose posts are held.
    hold_these_nonmembers: Senders,
    /// Nonmembers whose posts are rejected.
    reject_these_nonmembers: Senders,
    /// Nonmembers whose posts are discarded.
    discard_these_nonmembers: Senders,
    /// Whether the owners get a copy of what is discarded.
    forward_auto_discards: Senders,
    /// The list's language, which tells the charset of its texts.
    preferred_language: Senders,
    /// The list's own pipeline of handlers.
    pipeline: Senders,
    /// What DMARC policies lead to: 0 nothing, 1 munge, 2 wrap, 3 reject, 4 discard.
    dmarc_moderation_action: Messages,
    /// Whether `p=quarantine` counts as well as `p=reject`.
    dmarc_quarantine_moderation_action: Messages,
    /// Whether `p=none` counts, too.
    dmarc_none_moderation_action: Messages,
    /// The list's words for a sender whose domain has such a policy.
    dmarc_moderation_notice: Messages,
    /// Addresses that count as if their domain had such a policy.
    dmarc_moderation_addresses: Messages,
    /// Posts of a member within the interval above which the member gets moderated; 0: no limit.
    member_verbosity_threshold: Messages,
    /// Triples of patterns (a line each), action, and a flag without meaning.
    header_filter_rules: Messages,
    /// The list administrators' password, hashed.
    password: Messages,
    /// The moderators' password, hashed, or None.
    mod_password: Messages,
    /// The posters' password, hashed, or None.
    post_password: Messages,
    /// Whether posts that look like commands are held.
    administrivia: Messages,
    /// From how many addresses in To and Cc on a post is held; 0: no limit.
    max_num_recipients: Messages,
    /// Whether the list must be named in To or Cc.
    require_explicit_destination: Messages,
    /// Patterns of addresses that count as the list's, a line each.
    acceptable_aliases: Messages,
    /// Headers, and patterns of their values, that hold a post, a line each.
    bounce_matching_headers: Messages,
    /// Largest body, in KiB; 0: no limit.
    max_message_size: Messages,
    /// Whether posts go to a newsgroup.
    gateway_to_news: Messages,
    /// 2: that newsgroup is moderated, and the list is the moderator's address.
    news_moderation: Messages,
    /// Whether all posts are held.
    emergency: Messages,
    /// Whether MIME parts are filtered.
    filter_content: Messages,
    /// MIME types that are taken out.
    filter_mime_types: Messages,
    /// The only MIME types that stay, if there are any.
    pass_mime_types: Messages,
    /// File name extensions whose parts are taken out.
    filter_filename_extensions: Messages,
    /// The only extensions whose parts stay, if there are any.
    pass_filename_extensions: Messages,
    /// Whether of alternatives only the first stays.
    collapse_alternatives: Messages,
    /// Whether HTML is made plain text.
    convert_html_to_plaintext: Messages,
    /// What becomes of a post of which nothing stays: 1 reject, 2 forward, 3 preserve, else discard.
    filter_action: Messages,
    /// Whether attachments are taken out of posts.
    scrub_nondigest: Messages,
    /// Who may not subscribe.
    ban_list: Subscriptions,
    /// 0 open, 1 confirmed by mail, 2 approved by the owners, 3 both.
    subscribe_policy: Subscriptions,
    /// Who is subscribed without the owners' approval.
    subscribe_auto_approval: Subscriptions,
    /// Whether mail to the command addresses is answered automatically, and then: 1 not read, 2 read.
    autorespond_requests: Subscriptions,
    /// Whether members can have digests.
    digestable: Subscriptions,
    /// Whether members can have single messages.
    nondigestable: Subscriptions,
}

impl Settings {
    /// The top-level keys of a `config.pck` that [`Settings::from_values`] wants.
    pub fn keys(scope: Scope) -> Vec<&'static str> {
        let wanted = |of: Scope| of == Scope::Senders || of == scope;
        let mut keys: Vec<&str> =
            ATTRIBUTES.iter().filter(|(_, of)| wanted(*of)).map(|(key, _)| *key).collect();
        keys.push("data_version");
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
        reader: Reader,
        site_default: &dyn Fn(&str) -> Option<PyValue>,
    ) -> Settings {
        let python = reader.reads;
        let obstacle = obstacle(values, python);
        let below = version(values).is_some_and(|v| v < DATA_VERSION);
        let fills_absent = below || python == Python::Three;
        Settings::taken(python, fills_absent, obstacle, |key| match values.remove(key) {
            Some(value) => Setting::Value(reader.value(decode(value))),
            None if key == "pipeline" => Setting::Absent,
            None => absent(key, python, below, site_default),
        })
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
        Python::Three => Setting::Value(empty_of_the_port(key)),
        Python::Two if below => site_default(key).map_or(Setting::Unknown, Setting::Value),
        Python::Two => Setting::Absent,
    }
}

/// What `MailList.__getattr__` of the port makes of a name.
fn empty_of_the_port(key: &str) -> PyValue {
    let ends_in = |ends: &[&str]| ends.iter().any(|end| key.ends_with(end));
    match key {
        "host_name" => PyValue::Str(PyStr::Text(String::new())),
        _ if ends_in(&["_msg", "_text"]) => PyValue::Str(PyStr::Text(String::new())),
        _ if ends_in(&["_list", "_lists"]) => PyValue::List(Vec::new()),
        _ if ends_in(&["_dict", "_info"]) => PyValue::Dict(Vec::new()),
        _ => PyValue::Int(0),
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
