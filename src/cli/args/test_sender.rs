//! Options of `mm-query test-sender`.

use super::{AnswerOptions, SiteOptions, VERDICTS, statuses};
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
    /// How the answer is wanted.
    #[command(flatten)]
    pub(in crate::cli) answer: AnswerOptions,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

pub(super) fn help_end() -> String {
    format!(
        "{}\n{VERDICTS}\n\n\
         Examples:\n  \
         mm-query test-sender team alice@example.org bob@example.org\n  \
         mm-query test-sender team --from='Bob <bob@example.org>' --envelope-from=b@example.org\n  \
         mm-query test-sender team stranger@example.net --json\n",
        statuses()
    )
}
