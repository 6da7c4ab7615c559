//! `mm-query list-domain`

use crate::answer::one_line;
use crate::cli::args::ListDomain;
use crate::cli::{Enter, Failure, Outcome, enter_site};
use crate::exit::Status;
use crate::list::store::Wanted;
use crate::list::value::PyValue;
use std::os::unix::ffi::OsStrExt;

/// Answers with the list's host_name.
pub(super) fn run(args: &ListDomain, enter: Enter) -> Result<Outcome, Failure> {
    let (site, _) = enter_site(&args.site, enter)?;
    let list = site.load(args.list.as_bytes(), Wanted::of_senders(&[]))?;
    let host = match list.settings.host_name.value() {
        Some(PyValue::Str(host)) => host.to_lossy().into_owned(),
        _ => {
            let why = format!("the list {} has no host_name", list.name);
            return Err(Failure::new(Status::Data, why));
        }
    };
    let matches = args.domain.as_ref().map(|d| d.as_bytes().eq_ignore_ascii_case(host.as_bytes()));
    let stdout = if args.json {
        let answer = serde_json::json!({
            "list": list.name.as_str(),
            "domain": host,
            "matches": matches,
            "warnings": list.warnings,
        });
        format!("{answer}\n")
    } else {
        format!("{}\n", one_line(&host))
    };
    let refused = matches == Some(false);
    Ok(Outcome {
        status: refused.then_some(Status::Refused),
        stdout,
        stderr: super::warnings(&list, args.json || refused),
    })
}
