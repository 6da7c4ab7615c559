//! `locks`, and locks that others take, leave, break or wait for.

use crate::support::{BIN, Holder, Site, old_python};
use mm_query::list::write::lock_dir::LockDir;
use mm_query::list::write::survey::{Removal, State};
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

/// The locks, by name of the list.
fn shown(site: &Site, args: &[&str]) -> Vec<Value> {
    let said = site.succeed(&[&["locks", "--json"], args].concat());
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["host"], host());
    said["locks"].as_array().unwrap().clone()
}

fn set_time(path: &Path, from_now: i64) {
    let offset = Duration::from_secs(from_now.unsigned_abs());
    let now = SystemTime::now();
    let time = if from_now < 0 { now - offset } else { now + offset };
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// A lock as a process on another machine leaves it.
fn foreign(site: &Site, lock: &str, claim: &str, from_now: i64) -> [PathBuf; 2] {
    let (lock, claim) = (site.locks().join(lock), site.locks().join(claim));
    fs::write(&claim, claim.to_str().unwrap()).unwrap();
    fs::hard_link(&claim, &lock).unwrap();
    set_time(&lock, from_now);
    [lock, claim]
}

#[test]
fn a_held_lock_is_live_and_stays() {
    let site = Site::of(&["team"]);
    assert!(site.succeed(&["locks"]).starts_with("no locks in "));
    let holder = Holder::take(&site.lock("team"), 300);
    let waiter = Holder::claim(&site.lock("team"), -500);
    for args in [&[][..], &["--remove-stale"], &["--remove-stale", "--host=elsewhere"]] {
        let locks = shown(&site, args);
        assert_eq!(locks.len(), 2, "{locks:?}");
        let (lock, claim) = (&locks[0], &locks[1]);
        assert_eq!((&lock["lock"], &lock["host"]), (&"team".into(), &host().into()));
        assert_eq!(lock["pid"], holder.pid());
        assert_eq!((&lock["claim"], &lock["stale"]), (&false.into(), &false.into()));
        assert_eq!((&lock["running"], &lock["removal"]), (&true.into(), &"none".into()));
        let left = lock["left"].as_i64().unwrap();
        assert!((200..=300).contains(&left), "{left}");
        // A waiter does not refresh its claim, and is waiting all the same.
        assert_eq!((&claim["claim"], &claim["stale"]), (&true.into(), &false.into()));
        assert_eq!(claim["pid"], waiter.pid());
    }
    let page = site.succeed(&["locks"]);
    let lines: Vec<Vec<&str>> = page.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["LOCK", "HOST", "PID", "AGE", "LEFT", "STATE"]);
    assert_eq!(lines[1][..3], ["team", &host(), &holder.pid().to_string()]);
    assert!(page.contains("live, its process is there"), "{page}");
    assert!(page.contains("team (claim)") && page.contains("may wait"), "{page}");
    waiter.kill();
    holder.release();
    let locks = shown(&site, &["--remove-stale"]);
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert_eq!((&locks[0]["claim"], &locks[0]["removal"]), (&true.into(), &"removed".into()));
    assert_eq!(fs::read_dir(site.locks()).unwrap().count(), 0);
}

#[test]
fn a_lock_whose_process_is_gone_is_removed_with_its_claim() {
    let site = Site::of(&["team", "open"]);
    let pid = Holder::take(&site.lock("team"), 18_000).kill();
    let live = Holder::take(&site.lock("open"), 18_000);
    let locks = shown(&site, &[]);
    assert_eq!((&locks[1]["lock"], &locks[1]["pid"]), (&"team".into(), &pid.into()));
    assert_eq!((&locks[1]["stale"], &locks[1]["running"]), (&true.into(), &false.into()));
    assert_eq!(locks[1]["why"], "its process is gone");
    // Mailman would wait, and so do we.
    let run = site.run(&["ban", "eve@example.net", "--list", "team", "--wait=0"]);
    assert_eq!(run.code, 75, "{run:?}");
    assert!(run.stderr.contains(&format!("process {pid} on {}", host())), "{run:?}");
    assert_eq!(fs::read_dir(site.locks()).unwrap().count(), 4);

    let page = site.succeed(&["locks", "--remove-stale"]);
    assert!(page.contains("stale, its process is gone: removed"), "{page}");
    assert_eq!(fs::read_dir(site.locks()).unwrap().count(), 2);
    site.succeed(&["ban", "eve@example.net", "--list", "team", "--wait=0"]);
    live.release();
}

#[test]
fn a_lock_that_has_expired_is_stale_whoever_has_it() {
    let site = Site::of(&["team"]);
    // Within the slop it is not.
    let holder = Holder::take(&site.lock("team"), -5);
    assert_eq!(shown(&site, &["--remove-stale"])[0]["stale"], false);
    set_time(&site.lock("team"), -12);
    let locks = shown(&site, &["--remove-stale"]);
    assert_eq!((&locks[0]["stale"], &locks[0]["removal"]), (&true.into(), &"removed".into()));
    assert_eq!(locks[0]["why"], "its lifetime has ended");
    assert_eq!(fs::read_dir(site.locks()).unwrap().count(), 0);
    drop(holder);
    // Whoever wants it breaks it, as Mailman does.
    let holder = Holder::take(&site.lock("team"), -12);
    site.succeed(&["ban", "eve@example.net", "--list", "team", "--wait=0"]);
    assert_eq!(site.bans("team"), ["eve@example.net"]);
    assert_eq!(site.litter("team"), Vec::<String>::new());
    drop(holder);
}

#[test]
fn another_hosts_locks_are_removed_only_by_its_name_and_never_when_live() {
    let site = Site::of(&["team"]);
    let stale = foreign(&site, "team.lock", "team.lock.mx2.example.org.12.0", -3_600);
    let live = foreign(&site, "open.lock", "open.lock.mx2.example.org.13.4", 3_600);
    let ours = foreign(&site, "held.lock", &format!("held.lock.{}.4194304.0", host()), 3_600);
    let claim = site.locks().join("held.lock.mx2.example.org.15.0");
    fs::write(&claim, "").unwrap();
    set_time(&claim, -3_600);
    let there = |files: &[PathBuf]| files.iter().filter(|file| file.exists()).count();
    let fates = |args: &[&str]| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fate = |lock: &Value| (text(&lock["file"]), text(&lock["removal"]));
        shown(&site, args).iter().map(fate).collect()
    };
    let pair = |file: &str, fate: &str| (file.to_owned(), fate.to_owned());
    let left = [
        pair("held.lock.mx2.example.org.15.0", "other-host"),
        pair("open.lock", "none"),
        pair("team.lock", "other-host"),
    ];
    let first = fates(&["--remove-stale"]);
    assert_eq!(first, [&[pair("held.lock", "removed")][..], &left].concat());
    assert_eq!((there(&stale), there(&live), there(&ours)), (2, 2, 0));
    assert_eq!(fates(&["--remove-stale", "--host=mx2"]), left);
    assert_eq!(there(&stale), 2);
    let named = fates(&["--remove-stale", "--host=mx2.example.org"]);
    let removed = [
        pair("held.lock.mx2.example.org.15.0", "removed"),
        pair("open.lock", "none"),
        pair("team.lock", "removed"),
    ];
    assert_eq!(named, removed);
    assert_eq!((there(&stale), there(&live), claim.exists()), (0, 2, false));
}

#[test]
fn the_master_qrunners_lock_has_no_counter() {
    let site = Site::empty();
    let mine = format!("master-qrunner.{}.{}", host(), std::process::id());
    foreign(&site, "master-qrunner", &mine, 100_000);
    let locks = shown(&site, &["--remove-stale"]);
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert_eq!(locks[0]["lock"], "master-qrunner");
    assert_eq!(locks[0]["pid"], std::process::id());
    assert_eq!((&locks[0]["running"], &locks[0]["stale"]), (&true.into(), &false.into()));
}

#[test]
fn what_has_changed_since_it_was_seen_is_left_alone() {
    let site = Site::empty();
    let dir = LockDir::open(&site.locks()).unwrap();
    let dead = |name: &str| foreign(&site, name, &format!("{name}.{}.4194304.0", host()), 3_600);
    // Refreshed.
    let files = dead("a.lock");
    let seen = dir.survey().unwrap().remove(0);
    assert_eq!(seen.state, State::Gone);
    set_time(&files[0], 4_000);
    assert_eq!(dir.remove(&seen).unwrap(), Removal::Changed);
    assert!(files.iter().all(|file| file.exists()));
    // Removed.
    let seen = dir.survey().unwrap().remove(0);
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(dir.remove(&seen).unwrap(), Removal::Changed);
    // Taken by another.
    let files = dead("a.lock");
    let seen = dir.survey().unwrap().remove(0);
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    let holder = Holder::take(&files[0], 300);
    assert_eq!(dir.remove(&seen).unwrap(), Removal::Changed);
    assert_eq!(fs::read_dir(site.locks()).unwrap().count(), 2);
    holder.release();
}

#[test]
fn a_lock_leads_nowhere_else() {
    let site = Site::of(&["team", "open"]);
    let victim = site.path().join("victim");
    fs::write(&victim, "dear").unwrap();
    // A stale lock that names another file.
    for content in [victim.to_str().unwrap(), "/team.lock./../../victim", "team.lock", ""] {
        fs::write(site.lock("team"), content).unwrap();
        set_time(&site.lock("team"), -60);
        let locks = shown(&site, &["--remove-stale"]);
        assert_eq!(locks[0]["removal"], "other-host", "{content}");
        site.succeed(&["ban", "eve@example.net", "--list", "team", "--wait=0"]);
        site.succeed(&["unban", "eve@example.net", "--list", "team", "--wait=0"]);
        assert!(victim.exists(), "{content}");
        assert_eq!(site.litter("team"), Vec::<String>::new());
    }
    // A lock that is a link, or a directory, never ends.
    let before = fs::metadata(&victim).unwrap().mtime();
    symlink(&victim, site.lock("team")).unwrap();
    fs::create_dir(site.lock("open")).unwrap();
    assert_eq!(shown(&site, &[]), Vec::<Value>::new());
    for list in ["team", "open"] {
        let run = site.run(&["ban", "eve@example.net", "--list", list]);
        assert_eq!(run.code, 65, "{run:?}");
        assert!(run.stderr.contains("is no file"), "{run:?}");
    }
    assert_eq!(fs::metadata(&victim).unwrap().mtime(), before);
    assert_eq!(fs::read_dir(site.locks()).unwrap().count(), 2);
}

#[test]
fn another_holder_of_our_name_and_number_is_not_mixed_up_with_us() {
    let site = Site::of(&["team"]);
    // Nobody can choose a process number, so all the next ones are taken.
    let next = std::process::id();
    let claims: Vec<PathBuf> = (next..next + 2000)
        .map(|pid| site.locks().join(format!("team.lock.{}.{pid}.0", host())))
        .collect();
    for claim in &claims {
        fs::write(claim, "another's").unwrap();
    }
    site.succeed(&["ban", "eve@example.net", "--list", "team"]);
    assert!(claims.iter().all(|claim| fs::read(claim).unwrap() == b"another's"));
}

/// Our program, which sleeps before one of its system calls.
fn slow(site: &Site, call: &str) -> Child {
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e"]);
    command.arg(format!("inject={call}:delay_enter=2000000"));
    command.arg(BIN).args(["ban", "eve@example.net", "--list", "team"]);
    command.arg("--lists-dir").arg(site.lists());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("strace")
}

fn wait_for(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn finish(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "team  banned\n1 of 1 lists changed\n");
}

/// The other writer's way to change the list once.
fn other_writer(site: &Site) -> Command {
    let mut command = old_python(&["write"]);
    command.arg(site.lists().join("team")).arg(site.lock("team")).args(["1", "other"]);
    command.stdout(Stdio::null());
    command
}

/// Takes our lock away, as a waiter of Mailman's does now and then.
fn break_lock(site: &Site) {
    let claim = fs::read_to_string(site.lock("team")).unwrap();
    fs::remove_file(site.lock("team")).unwrap();
    fs::remove_file(claim).unwrap();
}

#[test]
fn our_lock_is_as_mailman_makes_them_and_others_wait_for_it() {
    let site = Site::of(&["team"]);
    let root = fs::metadata(site.path()).unwrap().uid() == 0;
    if root {
        // Mailman's group, whoever we are.
        std::os::unix::fs::chown(site.locks(), None, Some(38)).unwrap();
    }
    let ours = slow(&site, "fsync:when=1");
    wait_for(|| site.lock("team").exists());
    let lock = fs::metadata(site.lock("team")).unwrap();
    let content = fs::read_to_string(site.lock("team")).unwrap();
    assert_eq!((lock.nlink(), lock.permissions().mode() & 0o777), (2, 0o664));
    assert_eq!(fs::metadata(&content).unwrap().ino(), lock.ino());
    assert_eq!(lock.gid(), fs::metadata(site.locks()).unwrap().gid());
    let name = content.strip_prefix(site.lock("team").to_str().unwrap()).unwrap();
    let parts: Vec<&str> = name.rsplitn(3, '.').collect();
    assert_eq!(parts[2].trim_start_matches('.'), host());
    assert!(Path::new("/proc").join(parts[1]).exists(), "{name}");
    let left = lock.modified().unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(left <= Duration::from_secs(60), "{left:?}");
    let other = other_writer(&site).spawn().unwrap();
    finish(ours);
    assert!(other.wait_with_output().unwrap().status.success());
    assert_eq!(site.bans("team"), ["eve@example.net", "other-0@peer.example"]);
    assert_eq!(site.litter("team"), Vec::<String>::new());
}

#[test]
fn we_wait_for_another_holder() {
    let site = Site::of(&["team"]);
    let holder = Holder::take(&site.lock("team"), 300);
    let mut command = site.command(&["ban", "eve@example.net", "--list", "team"]);
    let ours = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    wait_for(|| fs::read_dir(site.locks()).unwrap().count() == 3);
    holder.release();
    finish(ours);
}

#[test]
fn a_change_whose_lock_was_taken_away_is_made_anew() {
    let site = Site::of(&["team"]);
    let ours = slow(&site, "fsync:when=1");
    wait_for(|| site.litter("team").iter().any(|name| name.starts_with("config.pck.tmp")));
    break_lock(&site);
    assert!(other_writer(&site).status().unwrap().success());
    finish(ours);
    assert_eq!(site.bans("team"), ["other-0@peer.example", "eve@example.net"]);
    assert_eq!(site.litter("team"), Vec::<String>::new());
}

#[test]
fn a_change_that_another_saved_over_is_made_anew() {
    let site = Site::of(&["team"]);
    let old = fs::read(site.file("team")).unwrap();
    // The second one is that of the directory, after the renaming.
    let ours = slow(&site, "fsync:when=2");
    wait_for(|| fs::read(site.file("team")).unwrap() != old);
    break_lock(&site);
    let theirs = site.path().join("theirs");
    fs::write(&theirs, &old).unwrap();
    fs::rename(&theirs, site.file("team")).unwrap();
    finish(ours);
    assert_eq!(site.bans("team"), ["eve@example.net"]);
    assert_eq!(site.litter("team"), Vec::<String>::new());
}

#[test]
fn a_mailman_that_opened_the_list_before_reads_it_again() {
    let site = Site::of(&["team"]);
    // Old enough for Mailman to see no change if the time of writing counted.
    let ours = slow(&site, "fsync:when=1");
    wait_for(|| site.litter("team").iter().any(|name| name.starts_with("config.pck.tmp")));
    // The list is opened now, in the middle of our two seconds, and saved after them.
    std::thread::sleep(Duration::from_millis(1_100));
    let other = other_writer(&site).spawn().unwrap();
    finish(ours);
    assert!(other.wait_with_output().unwrap().status.success());
    assert_eq!(site.bans("team"), ["eve@example.net", "other-0@peer.example"]);
}
