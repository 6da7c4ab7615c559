//! The site settings that Mailman 2.1.39's `Defaults.py` makes and that our rules read, or that
//! `mm_cfg.py` files commonly build upon.
//!
//! Settings that depend on where Mailman is installed (`VAR_PREFIX`, `LIST_DATA_DIR`,
//! `DEFAULT_EMAIL_HOST`, ...) are not here; who knows the layout appends them. The port 2.2.0 has
//! the same values, its strings being text.

use crate::list::value::PyValue;
use crate::python::Python;
use crate::python::literal::{Function, Library, Literal};
use crate::python::text::PyStr;

/// Settings that are yes or no.
const FLAGS: [(&str, bool); 35] = [
    ("Yes", true),
    ("yes", true),
    ("On", true),
    ("on", true),
    ("No", false),
    ("no", false),
    ("Off", false),
    ("off", false),
    ("USE_ENVELOPE_SENDER", false),
    ("DISCARD_MESSAGE_WITH_NO_COMMAND", true),
    ("OWNERS_CAN_PRESERVE_FILTERED_MESSAGES", true),
    ("REFUSE_SECOND_PENDING", false),
    ("ALLOW_OPEN_SUBSCRIBE", false),
    ("BLOCK_SPAMHAUS_LISTED_IP_SUBSCRIBE", false),
    ("BLOCK_SPAMHAUS_LISTED_DBL_SUBSCRIBE", false),
    ("SYNC_AFTER_WRITE", false),
    ("USE_MAILDIR", false),
    ("VIRTUAL_HOST_OVERVIEW", true),
    ("DEFAULT_LIST_ADVERTISED", true),
    ("DEFAULT_ADMINISTRIVIA", true),
    ("DEFAULT_REQUIRE_EXPLICIT_DESTINATION", true),
    ("DEFAULT_DEFAULT_MEMBER_MODERATION", false),
    ("DEFAULT_FORWARD_AUTO_DISCARDS", true),
    ("DEFAULT_DMARC_QUARANTINE_MODERATION_ACTION", true),
    ("DEFAULT_DMARC_NONE_MODERATION_ACTION", false),
    ("DEFAULT_FILTER_CONTENT", false),
    ("DEFAULT_COLLAPSE_ALTERNATIVES", true),
    ("DEFAULT_CONVERT_HTML_TO_PLAINTEXT", true),
    ("DEFAULT_SCRUB_NONDIGEST", false),
    ("DEFAULT_DIGESTABLE", true),
    ("DEFAULT_NONDIGESTABLE", true),
    ("DEFAULT_ANONYMOUS_LIST", false),
    ("DEFAULT_UMBRELLA_LIST", false),
    ("DEFAULT_RESPOND_TO_POST_REQUESTS", true),
    ("DISCARD_MESSAGE_WITH_NO_COMMAND", true),
];

/// Settings that are whole numbers; times are in seconds, sizes in KiB.
const NUMBERS: [(&str, i64); 25] = [
    ("DEFAULT_DMARC_MODERATION_ACTION", 0),
    ("DEFAULT_MEMBER_VERBOSITY_THRESHOLD", 0),
    ("DEFAULT_MEMBER_VERBOSITY_INTERVAL", 300),
    ("DEFAULT_GENERIC_NONMEMBER_ACTION", 1),
    ("DEFAULT_MAX_NUM_RECIPIENTS", 10),
    ("DEFAULT_MAX_MESSAGE_SIZE", 40),
    ("DEFAULT_FILTER_ACTION", 0),
    ("DEFAULT_SUBSCRIBE_POLICY", 1),
    ("DEFAULT_UNSUBSCRIBE_POLICY", 0),
    ("DEFAULT_PRIVATE_ROSTER", 1),
    ("DEFAULT_FROM_IS_LIST", 0),
    ("DEFAULT_REPLY_GOES_TO_LIST", 0),
    ("DEFAULT_NEW_MEMBER_OPTIONS", 256),
    ("DEFAULT_MAIL_COMMANDS_MAX_LINES", 25),
    ("MAX_LISTNAME_LENGTH", 0),
    ("ARCHIVE_HTML_SANITIZER", 1),
    ("DMARC_RESOLVER_TIMEOUT", 3),
    ("DMARC_RESOLVER_LIFETIME", 5),
    ("VERBOSE_CLEAN_LIMIT", 1_000),
    ("PENDING_REQUEST_LIFE", 3 * 86_400),
    ("FORM_LIFETIME", 3_600),
    ("SUBSCRIBE_FORM_MIN_TIME", 5),
    ("LIST_LOCK_LIFETIME", 5 * 3_600),
    ("LIST_LOCK_TIMEOUT", 10),
    ("DATA_FILE_VERSION", 112),
];

/// Settings that are strings.
const STRINGS: [(&str, &str); 10] = [
    ("HTML_TO_PLAIN_TEXT_COMMAND", "/usr/bin/lynx -dump %(filename)s"),
    ("DEFAULT_SERVER_LANGUAGE", "en"),
    ("ACCEPTABLE_LISTNAME_CHARACTERS", "[-+_.=a-z0-9]"),
    ("NORMALIZE_FORM", "NFKC"),
    ("MAILMAN_SITE_LIST", "mailman"),
    ("DEFAULT_URL_PATTERN", "http://%s/mailman/"),
    ("DEFAULT_EQUIVALENT_DOMAINS", ""),
    ("DEFAULT_ACCEPTABLE_ALIASES", "\n"),
    ("DEFAULT_UMBRELLA_MEMBER_ADMIN_SUFFIX", "-owner"),
    (
        "DEFAULT_BOUNCE_MATCHING_HEADERS",
        "\n# Lines that *start* with a '#' are comments.\nto: friend@public.com\n\
         message-id: relay.comanche.denmark.eu\nfrom: list@listme.com\nfrom: .*@uplinkpro.com\n",
    ),
];

/// Settings that are `None` unless a site sets them.
const UNSET: [&str; 5] = [
    "DEFAULT_HOST_NAME",
    "DEFAULT_URL",
    "SUBSCRIBE_FORM_SECRET",
    "RECAPTCHA_SITE_KEY",
    "RECAPTCHA_SECRET_KEY",
];

/// Settings that are lists of strings, or empty lists.
const LISTS: [(&str, &[&str]); 11] = [
    ("KNOWN_SPAMMERS", &[]),
    ("GLOBAL_BAN_LIST", &[]),
    ("DEFAULT_SUBSCRIBE_AUTO_APPROVAL", &[]),
    ("DEFAULT_REGULAR_EXCLUDE_LISTS", &[]),
    ("DEFAULT_REGULAR_INCLUDE_LISTS", &[]),
    ("DEFAULT_FILTER_MIME_TYPES", &[]),
    ("DEFAULT_PASS_FILENAME_EXTENSIONS", &[]),
    (
        "DEFAULT_PASS_MIME_TYPES",
        &["multipart", "message/rfc822", "application/pgp-signature", "text/plain"],
    ),
    (
        "DEFAULT_FILTER_FILENAME_EXTENSIONS",
        &["exe", "bat", "cmd", "com", "pif", "scr", "vbs", "cpl"],
    ),
    ("GLOBAL_PIPELINE", &GLOBAL_PIPELINE),
    ("OWNER_PIPELINE", &["SpamDetect", "Replybot", "OwnerRecips", "ToOutgoing"]),
];

/// The handlers that a post passes through, in order.
const GLOBAL_PIPELINE: [&str; 21] = [
    "SpamDetect",
    "Approve",
    "Replybot",
    "Moderate",
    "Hold",
    "MimeDel",
    "Scrubber",
    "Emergency",
    "Tagger",
    "CalcRecips",
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
];

/// Where the senders of a post are looked for, in order; None is the envelope.
const SENDER_HEADERS: [Option<&str>; 4] = [Some("from"), None, Some("reply-to"), Some("sender")];

/// What a new list's attribute is made from (`InitVars` of `MailList` and its parts).
#[derive(Debug, Clone, PartialEq)]
pub enum ListDefault {
    /// The same everywhere.
    Fixed(PyValue),
    /// A setting of the site.
    Site(&'static str),
}

/// What Mailman puts in the place of an attribute that an old list lacks; `None` for attributes
/// that no rule of ours reads.
pub fn of_list(key: &str) -> Option<ListDefault> {
    let site = |name| Some(ListDefault::Site(name));
    match key {
        "generic_nonmember_action" => site("DEFAULT_GENERIC_NONMEMBER_ACTION"),
        "forward_auto_discards" => site("DEFAULT_FORWARD_AUTO_DISCARDS"),
        "equivalent_domains" => site("DEFAULT_EQUIVALENT_DOMAINS"),
        "preferred_language" => site("DEFAULT_SERVER_LANGUAGE"),
        "dmarc_moderation_action" => site("DEFAULT_DMARC_MODERATION_ACTION"),
        "dmarc_quarantine_moderation_action" => site("DEFAULT_DMARC_QUARANTINE_MODERATION_ACTION"),
        "dmarc_none_moderation_action" => site("DEFAULT_DMARC_NONE_MODERATION_ACTION"),
        "member_verbosity_threshold" => site("DEFAULT_MEMBER_VERBOSITY_THRESHOLD"),
        "administrivia" => site("DEFAULT_ADMINISTRIVIA"),
        "max_num_recipients" => site("DEFAULT_MAX_NUM_RECIPIENTS"),
        "require_explicit_destination" => site("DEFAULT_REQUIRE_EXPLICIT_DESTINATION"),
        "acceptable_aliases" => site("DEFAULT_ACCEPTABLE_ALIASES"),
        "bounce_matching_headers" => site("DEFAULT_BOUNCE_MATCHING_HEADERS"),
        "max_message_size" => site("DEFAULT_MAX_MESSAGE_SIZE"),
        "filter_content" => site("DEFAULT_FILTER_CONTENT"),
        "filter_mime_types" => site("DEFAULT_FILTER_MIME_TYPES"),
        "pass_mime_types" => site("DEFAULT_PASS_MIME_TYPES"),
        "filter_filename_extensions" => site("DEFAULT_FILTER_FILENAME_EXTENSIONS"),
        "pass_filename_extensions" => site("DEFAULT_PASS_FILENAME_EXTENSIONS"),
        "collapse_alternatives" => site("DEFAULT_COLLAPSE_ALTERNATIVES"),
        "convert_html_to_plaintext" => site("DEFAULT_CONVERT_HTML_TO_PLAINTEXT"),
        "filter_action" => site("DEFAULT_FILTER_ACTION"),
        "scrub_nondigest" => site("DEFAULT_SCRUB_NONDIGEST"),
        "subscribe_policy" => site("DEFAULT_SUBSCRIBE_POLICY"),
        "subscribe_auto_approval" => site("DEFAULT_SUBSCRIBE_AUTO_APPROVAL"),
        "digestable" => site("DEFAULT_DIGESTABLE"),
        "nondigestable" => site("DEFAULT_NONDIGESTABLE"),
        "member_moderation_action"
        | "gateway_to_news"
        | "news_moderation"
        | "emergency"
        | "autorespond_requests" => Some(ListDefault::Fixed(PyValue::Int(0))),
        "member_moderation_notice"
        | "nonmember_rejection_notice"
        | "dmarc_moderation_notice"
        | "password" => Some(ListDefault::Fixed(PyValue::Str(PyStr::Bytes(Vec::new())))),
        "mod_password" | "post_password" => Some(ListDefault::Fixed(PyValue::None)),
        "header_filter_rules" | "dmarc_moderation_addresses" | "ban_list" => {
            Some(ListDefault::Fixed(PyValue::List(Vec::new())))
        }
        key if key.ends_with("_these_nonmembers") => {
            Some(ListDefault::Fixed(PyValue::List(Vec::new())))
        }
        _ => None,
    }
}

/// What `from Defaults import *` brings into `mm_cfg.py`, as far as it is known.
pub fn defaults(python: Python) -> Library {
    let string = |text: &str| match python {
        Python::Two => Literal::Bytes(text.as_bytes().to_vec()),
        Python::Three => Literal::Text(text.to_owned()),
    };
    let sender_headers = SENDER_HEADERS.map(|name| name.map_or(Literal::None, string)).to_vec();
    let lists = LISTS.iter().map(|(name, items)| {
        (*name, Literal::List(items.iter().map(|item| string(item)).collect()))
    });
    let mut values = vec![("SENDER_HEADERS", Literal::Tuple(sender_headers))];
    values.extend(FLAGS.map(|(name, flag)| (name, Literal::Bool(flag))));
    values.extend(NUMBERS.map(|(name, number)| (name, Literal::Int(number))));
    values.extend(STRINGS.map(|(name, text)| (name, string(text))));
    values.extend(UNSET.map(|name| (name, Literal::None)));
    values.extend(lists);
    Library {
        modules: &["Defaults", "Mailman.Defaults", ".Defaults"],
        values,
        functions: vec![
            ("seconds", Function::Multiply(1)),
            ("minutes", Function::Multiply(60)),
            ("hours", Function::Multiply(3_600)),
            ("days", Function::Multiply(86_400)),
            ("add_virtualhost", Function::Changes(&["VIRTUAL_HOSTS"])),
            ("add_language", Function::Changes(&["LC_DESCRIPTIONS"])),
        ],
    }
}
