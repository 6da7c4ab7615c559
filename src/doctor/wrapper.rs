//! The wrapper's files: what docs/security.md demands of them.

use crate::accounts::{Accounts, Identity};
use crate::doctor::Finding;
use crate::exim::snippets::DEFAULT_WRAPPER;
use crate::{files, limits};
use rustix::fs::StatVfsMountFlags;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the three files are; those that the wrapper has built in may differ as there.
#[derive(Debug, Clone)]
pub struct Places {
    /// What Exim runs.
    pub wrapper: PathBuf,
    /// The ids to become.
    pub conf: PathBuf,
    /// What the wrapper runs.
    pub program: PathBuf,
}

impl Default for Places {
    fn default() -> Places {
        let built_in = |given: Option<&str>, usual: &str| PathBuf::from(given.unwrap_or(usual));
        Places {
            wrapper: PathBuf::from(DEFAULT_WRAPPER),
            conf: built_in(option_env!("MMQ_WRAPPER_CONF"), "/etc/mm-query/wrapper.conf"),
            program: built_in(option_env!("MMQ_WRAPPER_PROGRAM"), "/usr/lib/mm-query/mm-query"),
        }
    }
}

/// The ids of `wrapper.conf`. The wrapper itself is stricter, which a query through it shows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Conf {
    uid: Option<u32>,
    gid: Option<u32>,
    callers: Vec<(String, u32)>,
}

fn parse(text: &str) -> Conf {
    let mut conf = Conf::default();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once('=') else { continue };
        let Ok(id) = value.trim().parse() else { continue };
        match key.trim() {
            "uid" => conf.uid = Some(id),
            "gid" => conf.gid = Some(id),
            caller => conf.callers.push((caller.to_owned(), id)),
        }
    }
    conf
}

/// Who the wrapper becomes.
pub fn identity(places: &Places, accounts: &Accounts) -> Option<Identity> {
    let file = files::read(&places.conf, limits::CONFIGURATION_BYTES).ok()??;
    let conf = parse(&file.text());
    let (uid, gid) = (conf.uid.filter(|uid| *uid != 0)?, conf.gid.filter(|gid| *gid != 0)?);
    Some(Identity { name: accounts.user_name(uid), uid, gid, groups: Vec::new() })
}

/// Looks at all three files; `exim` is the user that Exim runs the wrapper as, if known.
pub fn examine(places: &Places, accounts: &Accounts, exim: Option<&Identity>) -> Vec<Finding> {
    let mut findings = of_conf(&places.conf, accounts, exim);
    findings.extend(of_wrapper(&places.wrapper, accounts, exim, identity(places, accounts)));
    findings.push(of_program(&places.program));
    findings
}

fn of_conf(path: &Path, accounts: &Accounts, exim: Option<&Identity>) -> Vec<Finding> {
    let shown = path.display();
    let problem = |text: String, advice: &str| vec![Finding::problem("wrapper", text, advice)];
    let write_it = "write it: uid = and gid = of Mailman's user (id -u list; id -g list)";
    let file = match files::read(path, limits::CONFIGURATION_BYTES) {
        Ok(Some(file)) => file,
        Ok(None) => return problem(format!("there is no {shown}"), write_it),
        Err(error) => return problem(format!("{shown} {error}"), write_it),
    };
    if file.uid != 0 || file.mode & 0o022 != 0 {
        let text = format!("{shown} can be written by others than root; the wrapper refuses it");
        return problem(text, &format!("chown root {shown}; chmod 644 {shown}"));
    }
    let conf = parse(&file.text());
    let (Some(uid @ 1..), Some(gid @ 1..)) = (conf.uid, conf.gid) else {
        return problem(format!("{shown} names no uid and gid other than 0"), write_it);
    };
    let named = |exim: &&Identity| {
        let is = |(key, id): &(String, u32)| match key.as_str() {
            "caller-uid" => *id == exim.uid,
            "caller-gid" => *id == exim.gid,
            _ => false,
        };
        conf.callers.is_empty() || conf.callers.iter().any(is)
    };
    if let Some(exim) = exim.filter(|exim| !named(exim)) {
        let text = format!("{shown} names callers, and Exim's user {} is none", exim.name);
        return problem(text, &format!("add to it: caller-uid = {}", exim.uid));
    }
    let (user, group) = (accounts.user_name(uid), accounts.group_name(gid));
    vec![Finding::good("wrapper", format!("{shown}: the wrapper becomes {user}:{group}"))]
}

fn of_wrapper(
    path: &Path,
    accounts: &Accounts,
    exim: Option<&Identity>,
    becomes: Option<Identity>,
) -> Vec<Finding> {
    let shown = path.display();
    let problem = |text: String, advice: String| vec![Finding::problem("wrapper", text, advice)];
    let about = match path.metadata() {
        Ok(about) => about,
        Err(error) => {
            let advice = "install it (make install, or the Debian package)".to_owned();
            return problem(format!("{shown}: {error}"), advice);
        }
    };
    let group = exim.map_or("the mail server's group".to_owned(), |e| accounts.group_name(e.gid));
    let right = format!("chown root:{group} {shown}; chmod 4750 {shown}");
    if !about.is_file() {
        return problem(format!("{shown} is no regular file"), "install it".to_owned());
    }
    let (mode, owner) = (about.mode() & 0o7777, about.uid());
    let owners = format!("{}:{}", accounts.user_name(owner), accounts.group_name(about.gid()));
    let stands = format!("{shown} is {owners} {mode:04o}");
    if mode & 0o022 != 0 {
        return problem(format!("{stands}: others can write it"), right);
    }
    let list_uid = mode & 0o4000 != 0 && becomes.as_ref().is_some_and(|b| b.uid == owner);
    let list_gid =
        mode & 0o2010 == 0o2010 && becomes.as_ref().is_some_and(|b| b.gid == about.gid());
    let root = mode & 0o4000 != 0 && owner == 0;
    if !root && !list_uid && !list_gid {
        return problem(format!("{stands}: it is not set-id root (nor Mailman's user)"), right);
    }
    let mounted = rustix::fs::statvfs(path);
    if mounted.is_ok_and(|it| it.f_flag.intersects(StatVfsMountFlags::NOSUID)) {
        let advice =
            "mount that file system with suid, or install the wrapper elsewhere".to_owned();
        return problem(format!("{shown} is on a file system mounted nosuid"), advice);
    }
    if let Some(exim) = exim.filter(|exim| !can_execute(exim, mode, owner, about.gid())) {
        return problem(format!("{stands}: Exim's user {} cannot run it", exim.name), right);
    }
    if !root {
        let advice = format!("{right} (docs/security.md says why)");
        let text = format!("{stands}: set-id Mailman's user works, and gives less than root");
        return vec![Finding::warning("wrapper", text, advice)];
    }
    if mode & 0o001 != 0 {
        let text = format!("{stands}: every user of this machine may ask");
        return vec![Finding::warning("wrapper", text, right)];
    }
    vec![Finding::good("wrapper", stands)]
}

/// What the mode says of somebody who is not root.
fn can_execute(who: &Identity, mode: u32, owner: u32, group: u32) -> bool {
    if who.uid == owner {
        mode & 0o100 != 0
    } else if who.gid == group || who.groups.contains(&group) {
        mode & 0o010 != 0
    } else {
        mode & 0o001 != 0
    }
}

fn of_program(path: &Path) -> Finding {
    let shown = path.display();
    let right = format!("chown root:root {shown}; chmod 755 {shown}");
    match path.symlink_metadata() {
        Err(error) => {
            let advice = "install it (make install, or the Debian package)";
            Finding::problem("wrapper", format!("{shown}, which it runs: {error}"), advice)
        }
        Ok(about) if !about.is_file() => {
            let text =
                format!("{shown}, which it runs, is no regular file; the wrapper refuses it");
            Finding::problem("wrapper", text, "install the program itself there")
        }
        Ok(about) if about.uid() != 0 || about.mode() & 0o022 != 0 => {
            let text =
                format!("{shown} can be written by others than root; the wrapper refuses it");
            Finding::problem("wrapper", text, right)
        }
        Ok(about) if about.mode() & 0o005 != 0o005 => {
            let text = format!("{shown} cannot be run by Mailman's user");
            Finding::problem("wrapper", text, right)
        }
        Ok(_) => Finding::good("wrapper", format!("it runs {shown}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;
    use std::os::unix::fs::{PermissionsExt, chown};

    const LIST: (u32, u32) = (38_123, 38_124);
    const EXIM: (u32, u32) = (61_002, 61_005);

    struct Case {
        _dir: tempfile::TempDir,
        places: Places,
    }

    impl Case {
        /// As it should be; `None` where that cannot be made.
        fn new() -> Option<Case> {
            if !rustix::process::geteuid().is_root() {
                assert!(std::env::var_os("CI").is_none(), "this test runs as root");
                return None;
            }
            let dir = tempfile::tempdir().unwrap();
            let place = |name: &str| dir.path().join(name);
            let places =
                Places { wrapper: place("w"), conf: place("wrapper.conf"), program: place("p") };
            let case = Case { _dir: dir, places };
            case.set(&case.places.wrapper, "", (0, EXIM.1), 0o4750);
            case.set(&case.places.program, "", (0, 0), 0o755);
            case.set(
                &case.places.conf,
                &format!("uid = {}\ngid = {}\n", LIST.0, LIST.1),
                (0, 0),
                0o644,
            );
            Some(case)
        }

        fn set(&self, path: &Path, text: &str, (uid, gid): (u32, u32), mode: u32) {
            std::fs::write(path, text).unwrap();
            chown(path, Some(uid), Some(gid)).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }

        /// The worst finding.
        fn worst(&self) -> (State, String) {
            let exim = Identity { name: "exim".into(), uid: EXIM.0, gid: EXIM.1, groups: vec![] };
            let findings = examine(&self.places, &Accounts::default(), Some(&exim));
            let worst = findings.into_iter().max_by_key(|finding| finding.state).unwrap();
            (worst.state, worst.text)
        }

        fn assert(&self, state: State, words: &str) {
            let (found, text) = self.worst();
            assert!(found == state && text.contains(words), "{words}: {found} {text}");
        }
    }

    #[test]
    fn owners_and_modes_of_the_wrapper() {
        let Some(case) = Case::new() else { return };
        let wrapper = case.places.wrapper.clone();
        case.assert(State::Good, "");
        for (ids, mode, state, words) in [
            ((0, EXIM.1), 0o750, State::Problem, "not set-id"),
            ((0, EXIM.1), 0o4770, State::Problem, "others can write"),
            ((0, 0), 0o4750, State::Problem, "Exim's user exim cannot run it"),
            ((EXIM.0, EXIM.1), 0o4750, State::Problem, "not set-id"),
            ((0, 0), 0o4755, State::Warning, "every user"),
            ((LIST.0, EXIM.1), 0o4750, State::Warning, "gives less than root"),
            ((0, LIST.1), 0o2755, State::Warning, "gives less than root"),
            ((0, EXIM.1), 0o4750, State::Good, ""),
        ] {
            case.set(&wrapper, "", ids, mode);
            case.assert(state, words);
        }
        std::fs::remove_file(&wrapper).unwrap();
        case.assert(State::Problem, "No such file");
        std::fs::create_dir(&wrapper).unwrap();
        case.assert(State::Problem, "no regular file");
    }

    #[test]
    fn its_configuration_and_its_program() {
        let Some(case) = Case::new() else { return };
        let conf = case.places.conf.clone();
        let ids = format!("# ids\nuid = {}\ngid={}\n", LIST.0, LIST.1);
        let with = |caller: &str| format!("{ids}{caller}\n");
        for (text, owner, mode, words) in [
            ("gid = 5\n".to_owned(), 0, 0o644, "names no uid and gid"),
            ("uid = 0\ngid = 0\n".to_owned(), 0, 0o644, "names no uid and gid"),
            (ids.clone(), 7, 0o644, "written by others"),
            (ids.clone(), 0, 0o664, "written by others"),
            (with("caller-uid = 1"), 0, 0o644, "Exim's user exim is none"),
        ] {
            case.set(&conf, &text, (owner, 0), mode);
            case.assert(State::Problem, words);
        }
        for caller in [format!("caller-uid = {}", EXIM.0), format!("caller-gid = {}", EXIM.1)] {
            case.set(&conf, &with(&caller), (0, 0), 0o644);
            case.assert(State::Good, "");
        }
        let program = case.places.program.clone();
        for (owner, mode, words) in
            [(7, 0o755, "written by others"), (0, 0o775, "written by"), (0, 0o700, "cannot be run")]
        {
            case.set(&program, "", (owner, 0), mode);
            case.assert(State::Problem, words);
        }
        case.set(&program, "", (0, 0), 0o755);
        std::fs::remove_file(&conf).unwrap();
        case.assert(State::Problem, "there is no");
    }
}
