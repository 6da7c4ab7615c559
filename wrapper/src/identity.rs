//! Becoming the list user, for good, and making sure of it.

use crate::{INTERNAL, MISINSTALLED, NOT_ALLOWED, Refusal, conf::Conf, refuse, sys};
use caps::CapSet::{self, Ambient, Bounding, Effective, Inheritable, Permitted};
use rustix::process::{Gid, Uid, getegid, geteuid, getgid, getgroups, getuid};
use rustix::thread::{self, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

const OWN_SETS: [CapSet; 4] = [Ambient, Permitted, Effective, Inheritable];

/// Becomes the list user. From root that is its uid and gid; a file that is set-id `list` instead
/// gives one of them or both, the other becomes the caller's. Neither: the bit had no effect.
pub(crate) fn become_list(conf: &Conf) -> Result<(), Refusal> {
    let (list_uid, list_gid) = (Uid::from_raw(conf.uid), Gid::from_raw(conf.gid));
    let from_root = geteuid().is_root();
    let uid = if from_root || geteuid() == list_uid { list_uid } else { getuid() };
    let gid = if from_root || getegid() == list_gid { list_gid } else { getgid() };
    if uid != list_uid && gid != list_gid {
        return Err(Refusal(MISINSTALLED, "not set-id, or nosuid, no_new_privs or traced".into()));
    }
    if conf.caller_named == Some(false) && !getuid().is_root() {
        return Err(Refusal(NOT_ALLOWED, "this user may not call it".into()));
    }
    drop_to(uid, gid, from_root)?;
    let dropped = holds_only(uid.as_raw(), gid.as_raw(), from_root);
    dropped.then_some(()).ok_or_else(|| Refusal(INTERNAL, "privileges not dropped".into()))
}

/// The system calls act on this thread, which is the only one.
fn drop_to(uid: Uid, gid: Gid, from_root: bool) -> Result<(), Refusal> {
    if from_root {
        // First, since it takes a capability (CAP_SETPCAP) that goes with the user id.
        caps::clear(None, Bounding).map_err(refuse(MISINSTALLED, "bounding set"))?;
        set_thread_groups(&[]).map_err(refuse(MISINSTALLED, "groups"))?;
    }
    set_thread_res_gid(gid, gid, gid).map_err(refuse(MISINSTALLED, "group id"))?;
    set_thread_res_uid(uid, uid, uid).map_err(refuse(MISINSTALLED, "user id"))?;
    for set in OWN_SETS {
        caps::clear(None, set).map_err(refuse(INTERNAL, "capability sets"))?;
    }
    thread::set_no_new_privs(true).map_err(refuse(INTERNAL, "no_new_privs"))
}

/// Reads everything back. Only root's powers could change the bounding set and the groups.
fn holds_only(uid: u32, gid: u32, from_root: bool) -> bool {
    let empty = |set| caps::read(None, set).is_ok_and(|caps| caps.is_empty());
    sys::ids().is_ok_and(|ids| ids == [uid, uid, uid, gid, gid, gid])
        && OWN_SETS.into_iter().all(empty)
        && thread::no_new_privs().unwrap_or(false)
        && (!from_root || empty(Bounding) && getgroups().is_ok_and(|groups| groups.is_empty()))
}
