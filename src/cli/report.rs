//! What a judged post leaves behind.

use crate::cli::Outcome;
use crate::exit::Status;
use crate::mailman::senders::Origin;
use crate::query::Judged;
use crate::report::{Report, Style};

/// The answer as the options want it.
pub(super) fn outcome(
    judged: &Judged,
    origin: Option<&Origin>,
    gaps: &[String],
    style: Style,
) -> Outcome {
    let report = Report::new(judged, origin, gaps, style);
    let refused = !report.is_permitted();
    // Exim mixes standard error into the text for the sender.
    let stderr = super::warnings(&judged.list, refused || report.is_complete());
    Outcome { status: refused.then_some(Status::Refused), stdout: report.answer(), stderr }
}
