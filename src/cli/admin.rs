//! What the commands for administrators have in common: they are run by people, at a shell.

use crate::cli::Failure;
use crate::exit::Status;
use rustix::process::{getegid, geteuid, getgid, getuid};

/// Refuses to go on with rights that the caller does not have by himself: these commands run
/// programs and write files where their options say, so they must never be set-id.
///
/// # Errors
/// The effective ids are not the real ones ([`Status::NotAllowed`]).
pub(in crate::cli) fn not_set_id() -> Result<(), Failure> {
    if getuid() == geteuid() && getgid() == getegid() {
        return Ok(());
    }
    let why = "this command does not run set-id: call it as the user it shall run as";
    Err(Failure::new(Status::NotAllowed, why))
}
