//! `mm-query list-domain`

use crate::answer::one_line;
use crate::cli::args::ListDomain;
use crate::cli::{Enter, Failure, Outcome, enter_site};
use crate::exit::Status;
use crate::query::{Source, domain};
use std::os::unix::ffi::OsStrExt;

/// Answers with the list's host_name.
pub(super) fn run(args: &ListDomain, enter: Enter) -> Result<Outcome, Failure> {
    let (site, _) = enter_site(&args.site, enter)?;
    let found = domain::of(Source::files(&site), args.list.as_bytes())?;
    let Some(host) = &found.host else {
        return Err(Failure::new(Status::Data, found.missing()));
    };
    let matches = args.domain.as_ref().map(|domain| found.is(domain.as_bytes()));
    let stdout = if args.json { found.json(matches) } else { format!("{}\n", one_line(host)) };
    let refused = matches == Some(false);
    Ok(Outcome {
        status: refused.then_some(Status::Refused),
        stdout,
        stderr: super::warnings(&found.list, args.json || refused),
    })
}
