//! `mm-query test-subscribe`

use crate::answer::one_line;
use crate::cli::args::TestSubscribe;
use crate::cli::{Enter, Failure, Outcome, enter_site, warnings};
use crate::exit::Status;
use crate::query::subscription;
use crate::report::subscription::{as_json, explanation, is_refused, sentence};
use std::os::unix::ffi::OsStrExt;

/// Judges the subscription, and makes of it the answer.
pub(super) fn run(args: &TestSubscribe, enter: Enter) -> Result<Outcome, Failure> {
    let (site, gaps) = enter_site(&args.site, enter)?;
    let address = args.address.as_bytes();
    let dialect = args.dialect.map(Into::into);
    let judged = subscription::judge(&site, args.list.as_bytes(), address, dialect)?;
    let refused = is_refused(&judged);
    let stdout = match (args.json, args.explain) {
        (true, _) => as_json(&judged, address),
        (_, true) => explanation(&judged, address, &gaps),
        _ => one_line(&sentence(&judged, address)) + "\n",
    };
    let stderr = warnings(&judged.list, refused || args.json || args.explain);
    Ok(Outcome { status: refused.then_some(Status::Refused), stdout, stderr })
}
