//! Options of `mm-query test-sender`.

use super::{Meaning, SiteOptions, statuses};
use clap::Args;
use std::ffi::OsString;

/// `test-sender`
#[derive(Debug, Args)]
pub(in crate::cli) struct TestSender {
    /// The list: its name, or name@domain
    #[arg(value_name = "LIST")]
    pub(in crate::cli) list: OsString,
    /// Addresses of the sender, in any order
    #[arg(value_name = "ADDRESS", conflicts_with_all = ["from", "envelope_from", "reply_to", "sender", "base64"])]
    pub(in crate::cli) addresses: Vec<OsString>,
    /// A From: header's value, unfolded or not; give it once for each such header
    #[arg(long, value_name = "HEADER", allow_hyphen_values = true)]
    pub(in crate::cli) from: Vec<OsString>,
    /// The envelope sender; '' is the null sender of bounces
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub(in crate::cli) envelope_from: Option<OsString>,
    /// A Reply-To: header's value
    #[arg(long, value_name = "HEADER", allow_hyphen_values = true)]
    pub(in crate::cli) reply_to: Vec<OsString>,
    /// A Sender: header's value
    #[arg(long, value_name = "HEADER", allow_hyphen_values = true)]
    pub(in crate::cli) sender: Vec<OsString>,
    /// The values of --from, --envelope-from, --reply-to and --sender are base64; those of headers
    /// are lists as Exim's $lh_From: gives them
    #[arg(long)]
    pub(in crate::cli) base64: bool,
    /// The message carries an approval header or line, which only Mailman can check: undecided
    #[arg(long)]
    pub(in crate::cli) approved: bool,
    /// What a hold for the moderators means for the exit status
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Meaning::Permit)]
    pub(in crate::cli) held: Meaning,
    /// What a silent discard means for the exit status
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Meaning::Refuse)]
    pub(in crate::cli) discarded: Meaning,
    /// Print the verdict as one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print what was checked, for a person
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) explain: bool,
    /// Leave texts in UTF-8 instead of making them ASCII
    #[arg(long)]
    pub(in crate::cli) utf8: bool,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nVerdicts: accept, hold, reject, discard, undecided (Mailman would fail on the \
         message, or it cannot be known here). Accept and undecided permit; a reject refuses; \
         --held and --discarded say what the others do.\n\n\
         When the post is refused, the text for its sender goes to standard output, ready for an \
         SMTP reply: lines parted by LF, under 4,000 bytes, no control characters, plain ASCII \
         unless --utf8 is given. When it is permitted, nothing is printed.\n\n\
         Examples:\n  \
         mm-query test-sender team alice@example.org bob@example.org\n  \
         mm-query test-sender team --from='Bob <bob@example.org>' --envelope-from=b@example.org\n  \
         mm-query test-sender team stranger@example.net --json\n",
        statuses()
    )
}
