//! Accounts of this machine, as `/etc/passwd` and `/etc/group` tell them, and doing something as
//! one of them. For administration commands only.

use crate::{files, limits};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::io;
use std::path::Path;

/// A user to act as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// For people.
    pub name: String,
    /// The user id.
    pub uid: u32,
    /// The first group's id.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
}

/// The two files' texts.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    passwd: String,
    group: String,
}

impl Accounts {
    /// Reads both; one that cannot be read is empty.
    pub fn read() -> Accounts {
        let text = |path: &str| {
            let file = files::read(Path::new(path), limits::CONFIGURATION_BYTES).ok().flatten();
            file.map(|file| file.text()).unwrap_or_default()
        };
        Accounts { passwd: text("/etc/passwd"), group: text("/etc/group") }
    }

    /// A user by name or number.
    pub fn user(&self, which: &str) -> Option<Identity> {
        let mut entries = self.passwd.lines().map(fields);
        let entry = entries.find(|entry| {
            entry.first() == Some(&which) || (is_number(which) && entry.get(2) == Some(&which))
        })?;
        let name = (*entry.first()?).to_owned();
        let (uid, gid) = (entry.get(2)?.parse().ok()?, entry.get(3)?.parse().ok()?);
        let groups = self.group.lines().map(fields).filter(|group| {
            group.get(3).is_some_and(|members| members.split(',').any(|member| member == name))
        });
        let groups = groups.filter_map(|group| group.get(2)?.parse().ok()).collect();
        Some(Identity { name, uid, gid, groups })
    }

    /// A group's id by name or number.
    pub fn group(&self, which: &str) -> Option<u32> {
        if let Ok(number) = which.parse() {
            return Some(number);
        }
        let mut entries = self.group.lines().map(fields);
        entries.find(|entry| entry.first() == Some(&which))?.get(2)?.parse().ok()
    }

    /// The name of a user id, or the number.
    pub fn user_name(&self, uid: u32) -> String {
        self.user(&uid.to_string()).map_or(uid.to_string(), |user| user.name)
    }

    /// The name of a group id, or the number.
    pub fn group_name(&self, gid: u32) -> String {
        let number = gid.to_string();
        let mut entries = self.group.lines().map(fields);
        let entry = entries.find(|entry| entry.get(2) == Some(&number.as_str()));
        let name = entry.and_then(|entry| entry.first().map(|name| (*name).to_owned()));
        name.unwrap_or(number)
    }
}

fn fields(line: &str) -> Vec<&str> {
    line.split(':').collect()
}

fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok()
}

impl Identity {
    /// Does something as this user, with its groups and nobody's capabilities. The work has a
    /// thread of its own, and the kernel keeps ids for each thread: all else goes on as root.
    /// Programs started there are the user's, too.
    ///
    /// # Errors
    /// The ids cannot be taken (we are not root), or there is no thread.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        let groups: Vec<Gid> = self.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, move || {
                set_thread_groups(&groups)?;
                set_thread_res_gid(gid, gid, gid)?;
                set_thread_res_uid(uid, uid, uid)?;
                Ok(work())
            })?;
            thread.join().unwrap_or_else(|_| Err(io::Error::other("the work failed")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            passwd: "root:x:0:0:root:/root:/bin/sh\nlist:x:38:38::/var/list:/bin/false\n\
                     Debian-exim:x:102:105::/var/spool/exim4:/bin/false\nbroken\n"
                .into(),
            group: "root:x:0:\nlist:x:38:Debian-exim\nDebian-exim:x:105:\nmail:x:8:a,Debian-exim\n"
                .into(),
        }
    }

    #[test]
    fn users_and_groups_by_name_and_number() {
        let accounts = accounts();
        let exim = accounts.user("Debian-exim").unwrap();
        assert_eq!((exim.uid, exim.gid, exim.groups.as_slice()), (102, 105, &[38, 8][..]));
        assert_eq!(accounts.user("102").unwrap(), exim);
        assert_eq!(accounts.user("x"), None);
        assert_eq!(accounts.user("broken"), None);
        assert_eq!((accounts.group("list"), accounts.group("7")), (Some(38), Some(7)));
        assert_eq!(accounts.group("nosuch"), None);
        assert_eq!(accounts.user_name(38), "list");
        assert_eq!(accounts.user_name(39), "39");
        assert_eq!(accounts.group_name(105), "Debian-exim");
        assert_eq!(accounts.group_name(106), "106");
    }

    #[test]
    fn work_as_another_user_is_that_users_and_leaves_us_alone() {
        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "this test runs as root");
            return;
        }
        let user = Identity { name: "x".into(), uid: 38_123, gid: 38_124, groups: vec![61_006] };
        let ids = || {
            let ran = crate::process::run(
                Path::new("/usr/bin/id"),
                &["-G"],
                crate::process::Limits::default(),
            );
            (rustix::process::geteuid().as_raw(), ran.unwrap().stdout)
        };
        assert_eq!(user.run(ids).unwrap(), (38_123, "38124 61006\n".to_owned()));
        assert!(rustix::process::geteuid().is_root());
        let nested = user.run(|| user.run(|| ()).map_err(|e| e.kind())).unwrap();
        assert_eq!(nested, Err(io::ErrorKind::PermissionDenied));
    }
}
