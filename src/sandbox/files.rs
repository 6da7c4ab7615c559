//! Landlock: which files may be opened.

use landlock::{
    ABI, Access, AccessFs, AccessNet, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope,
};
use std::os::fd::BorrowedFd;

/// The rights that are taken away, as far as the kernel knows them. Later ones (sockets in the file
/// system, UDP) could not be tested where this was written, and seccomp denies all sockets anyway.
const RIGHTS: ABI = ABI::V7;

/// From now on the calling thread can open files beneath this directory, for reading, and no
/// others; it can bind and connect no TCP port, and reach no process outside by a signal or an
/// abstract socket.
///
/// # Errors
/// Why it could not be done.
pub fn restrict(readable: Option<BorrowedFd<'_>>) -> Result<(), String> {
    restrict_all(readable.as_slice(), &[])
}

/// The same with several such directories, and others in which files can be removed.
///
/// # Errors
/// Why it could not be done.
pub fn restrict_all(
    readable: &[BorrowedFd<'_>],
    removable: &[BorrowedFd<'_>],
) -> Result<(), String> {
    match restrict_to(readable, removable) {
        Ok(RulesetStatus::NotEnforced) => Err("the kernel has none, or not switched on".into()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn restrict_to(
    readable: &[BorrowedFd<'_>],
    removable: &[BorrowedFd<'_>],
) -> Result<RulesetStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(RIGHTS))?
        .handle_access(AccessNet::from_all(RIGHTS))?
        .scope(Scope::from_all(RIGHTS))?
        .create()?
        .no_new_privs(false);
    for dir in readable {
        // Where there is no openat2, a list's directory is opened as such.
        ruleset =
            ruleset.add_rule(PathBeneath::new(dir, AccessFs::ReadFile | AccessFs::ReadDir))?;
    }
    for dir in removable {
        ruleset = ruleset.add_rule(PathBeneath::new(dir, AccessFs::RemoveFile))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}
