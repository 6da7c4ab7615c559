//! `mm-query test-sender`

use crate::cli::args::TestSender;
use crate::cli::report::outcome;
use crate::cli::{Enter, Failure, Outcome, enter_site, given};
use crate::query::given::Given;
use crate::query::senders;
use std::os::unix::ffi::OsStrExt;

/// Judges the senders, and makes the verdict into the answer.
pub(super) fn run(args: &TestSender, enter: Enter) -> Result<Outcome, Failure> {
    let given = given::parse(args)?;
    let (site, gaps) = enter_site(&args.site, enter)?;
    let policy = args.answer.policy();
    let judged = senders::judge(&site, args.list.as_bytes(), &given, args.approved, policy)?;
    let origin = match &given {
        Given::Message(message) => message.readings.first(),
        Given::Addresses(_) => None,
    };
    Ok(outcome(&judged, origin, &gaps, args.answer.style()))
}
