//! Becoming the list user, for good, and making sure of it. Its ids are numbers in a file that only
//! root can have written: no name is looked up here.

use crate::{INTERNAL, MISINSTALLED, NOT_ALLOWED, Refusal, refuse, sys::open_trusted};
use rustix::process::{Gid, Uid, getegid, geteuid, getgid, getgroups, getuid};
use rustix::thread::{self, CapabilitySet, CapabilitySets};
use std::io::{Error, Result as Done};

/// Becomes the list user. From root that is its uid and gid; a file that is set-id `list` instead
/// gives one of them or both, the other becomes the caller's. Neither: the bit had no effect.
pub(crate) fn become_list(conf: &str) -> Result<(), Refusal> {
    let file = open_trusted(conf).map_err(refuse(MISINSTALLED, conf))?;
    let mut text = [0; 4096]; // One read gives all of a regular file.
    let size = rustix::io::read(file, &mut text).map_err(refuse(MISINSTALLED, conf))?;
    let text = text.get(..size).filter(|_| size < text.len()).unwrap_or_default();
    let ids = parse(text, getuid(), getgid()).ok_or("too long, or not as docs/security.md says");
    let (list_uid, list_gid, may_call) = ids.map_err(refuse(MISINSTALLED, conf))?;
    let from_root = geteuid().is_root();
    let uid = if from_root || geteuid() == list_uid { list_uid } else { getuid() };
    let gid = if from_root || getegid() == list_gid { list_gid } else { getgid() };
    if uid != list_uid && gid != list_gid {
        return Err((MISINSTALLED, "not set-id, or nosuid, no_new_privs or traced".into()));
    }
    if !may_call && !getuid().is_root() {
        return Err((NOT_ALLOWED, "this user may not call it".into()));
    }
    drop_to(uid, gid, from_root).map_err(refuse(INTERNAL, "dropping privileges"))
}

/// The ids of the list user, and whether the caller may call: it is named, or nobody is (the file's
/// mode decides). Lines of `key = number`, empty lines and `#` comments.
pub(crate) fn parse(text: &[u8], real_uid: Uid, real_gid: Gid) -> Option<(Uid, Gid, bool)> {
    let (mut uid, mut gid, mut named) = (0, 0, None);
    let lines = str::from_utf8(text).ok()?.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, value) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()))?;
        // No sign, no leading zero (octal to some), not what means "unchanged" to setresuid.
        let plain = |id: &u32| *id != u32::MAX && (value == "0" || !value.starts_with(['+', '0']));
        match (key, value.parse().ok().filter(plain)?) {
            ("uid", id @ 1..) if uid == 0 => uid = id,
            ("gid", id @ 1..) if gid == 0 => gid = id,
            ("caller-uid", id) => *named.get_or_insert(false) |= id == real_uid.as_raw(),
            ("caller-gid", id) => *named.get_or_insert(false) |= id == real_gid.as_raw(),
            _ => return None,
        }
    }
    (uid != 0 && gid != 0).then(|| (Uid::from_raw(uid), Gid::from_raw(gid), named != Some(false)))
}

/// Drops all else. The calls act on this thread, the only one. Then asks the kernel: is it so? Only
/// root's powers could change the bounding set and the groups.
fn drop_to(uid: Uid, gid: Gid, from_root: bool) -> Done<()> {
    if from_root {
        // First: it takes CAP_SETPCAP, which goes with the user id. Fails beyond the last known.
        let mut each = (0..64).map(|bit| CapabilitySet::from_bits_retain(1 << bit));
        let _ = each.try_for_each(thread::remove_capability_from_bounding_set);
        thread::set_thread_groups(&[])?;
    }
    thread::set_thread_res_gid(gid, gid, gid)?;
    thread::set_thread_res_uid(uid, uid, uid)?;
    let none = CapabilitySet::empty(); // The ambient set is always a part of the permitted one.
    let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
    thread::set_capabilities(None, none)?;
    thread::set_no_new_privs(true)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let has = |lines: String| status.contains(&lines);
    let (u, g, no) = (uid.as_raw(), gid.as_raw(), "\t0000000000000000\n");
    let dropped = has(format!("\nUid:\t{u}\t{u}\t{u}\t{u}\nGid:\t{g}\t{g}\t{g}\t{g}\n"))
        && has(format!("\nCapInh:{no}CapPrm:{no}CapEff:{no}"))
        && has(format!("\nCapAmb:{no}NoNewPrivs:\t1\n"))
        && (!from_root || has(format!("\nCapBnd:{no}")) && getgroups()?.is_empty());
    dropped.then_some(()).ok_or_else(|| Error::other("the kernel says otherwise"))
}
