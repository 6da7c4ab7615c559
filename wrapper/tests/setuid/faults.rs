//! Every system call of the wrapper fails once, or only pretends to work: strace(1), run by root,
//! comes between. No answer may come of it unless the program ran as it should.

use crate::identity::assert_only_list;
use crate::site::{EXIM_GID, EXIM_UID, EXTRA_GID, Site, output};
use std::collections::HashMap;
use std::fs;
use std::process::{Command, Output};

/// The wrapper, run by the mail server under strace with these options. Before it, Perl makes none
/// of the calls by which the wrapper drops its privileges.
pub(crate) fn traced(site: &Site, options: &[&str], query: &[&str]) -> Command {
    let deeds = format!("POSIX::setgid({EXIM_GID}); POSIX::setuid({EXIM_UID}); exec @ARGV");
    let mut command = Command::new("setpriv");
    command.arg(format!("--groups={EXTRA_GID}"));
    command.arg("strace").args(options).args(["perl", "-MPOSIX", "-e", &deeds]);
    command.arg(site.wrapper()).args(query);
    command
}

fn injected(site: &Site, what: &str) -> Output {
    let inject = format!("inject={what}");
    let options = ["-o", "/dev/null", "-e", &inject];
    output(&mut traced(site, &options, &["list-domain", "team"]))
}

/// A system call of the wrapper: its name, how many of that name there have been, from the start of
/// the traced process, and its line in the trace.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) number: usize,
    pub(crate) line: String,
}

/// All that the wrapper calls for a query.
pub(crate) fn calls(site: &Site) -> Vec<Call> {
    let file = site.path("scratch/trace");
    let options = ["-o", file.to_str().unwrap()];
    site.assert_run(&output(&mut traced(site, &options, &["list-domain", "team"])));
    let text = fs::read_to_string(&file).unwrap();
    let mut numbers = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        let number = numbers.entry(name.to_owned()).and_modify(|n| *n += 1).or_insert(1);
        calls.push(Call { name: name.to_owned(), number: *number, line: line.to_owned() });
    }
    let start = format!("execve(\"{}\"", site.wrapper().display());
    let first = calls.iter().position(|call| call.line.starts_with(&start)).unwrap();
    calls.split_off(first + 1)
}

/// Of a row of equal calls, the first and the last.
pub(crate) fn without_repetition(calls: Vec<Call>) -> Vec<Call> {
    let name = |n: usize| calls.get(n).map(|call| &call.name);
    let differs = |n: usize| name(n) != name(n + 1) || n == 0 || name(n) != name(n - 1);
    (0..calls.len()).filter(|n| differs(*n)).filter_map(|n| calls.get(n).cloned()).collect()
}

/// The outcome of a query that something has disturbed.
pub(crate) fn assert_no_false_answer(site: &Site, ran: &Output, how: &str) {
    match (ran.status.code(), site.report()) {
        (Some(0), Some(report)) => assert_only_list(&report),
        (code, _) => assert!(![Some(0), Some(1)].contains(&code), "{how}: {ran:?}"),
    }
}

#[test]
fn no_failing_system_call_makes_an_answer() {
    let Some(site) = Site::new() else { return };
    let calls = without_repetition(calls(&site));
    assert!(calls.len() > 60, "{calls:?}");
    let mut failures = 0;
    for Call { name, number, .. } in calls {
        // The end of the process cannot fail.
        if name == "exit_group" {
            continue;
        }
        let what = format!("{name}:error=EPERM:when={number}");
        let ran = injected(&site, &what);
        failures += usize::from(!ran.status.success());
        assert_no_false_answer(&site, &ran, &what);
    }
    assert!(failures > 30, "only {failures} had an effect");
}

#[test]
fn a_drop_that_fails_or_pretends_to_work_runs_nothing() {
    let Some(site) = Site::new() else { return };
    let known = fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap();
    // One call for each capability, one too many, then no_new_privs.
    let capabilities: usize = known.trim().parse::<usize>().unwrap() + 1;
    let no_new_privs = capabilities + 2;
    for how in ["error=EPERM", "error=EINVAL", "retval=0"] {
        for what in [
            format!("setresuid:{how}"),
            format!("setresgid:{how}"),
            format!("setgroups:{how}"),
            format!("setresuid,setresgid:{how}"),
            format!("setresuid,setresgid,setgroups,prctl,capset:{how}"),
            format!("prctl:{how}"),
            format!("prctl:{how}:when=1"),
            format!("prctl:{how}:when={capabilities}"),
            format!("prctl:{how}:when={no_new_privs}"),
        ] {
            let ran = injected(&site, &what);
            site.assert_refused(&ran, 70, "dropping privileges: ");
        }
    }
    // This is a second line: the set-user-id call has done the work already.
    site.assert_refused(&injected(&site, "capset:error=EPERM"), 70, "dropping privileges: ");
    let ran = injected(&site, "capset:retval=0");
    assert_only_list(&site.assert_run(&ran));
}

/// Nothing in the wrapper is known to panic; a kernel that claims to have written more than it was
/// given makes std do so.
#[test]
fn a_panic_is_an_internal_error() {
    let Some(site) = Site::new() else { return };
    let options = ["-o", "/dev/null", "-e", "inject=write:retval=5000:when=1"];
    let ran = output(&mut traced(&site, &options, &["list-domain", "say=1"]));
    assert_eq!(ran.status.code(), Some(70), "{ran:?}");
    assert_eq!(ran.stderr, b"mm-query-wrapper: unexpected failure\n", "{ran:?}");
    site.report().expect("the program was not run");
}

/// No name service, no locale, no configuration but ours; and no allocator, which calls brk or mmap.
#[test]
fn with_privileges_it_reads_its_configuration_and_nothing_else() {
    let Some(site) = Site::new() else { return };
    let calls = calls(&site);
    let position = |name: &str| calls.iter().position(|call| call.name == name).unwrap();
    let (start, dropped) = (position("rt_sigaction"), position("setresuid"));
    let with_privileges = &calls[start..dropped];
    let names: Vec<&str> = with_privileges.iter().map(|call| call.name.as_str()).collect();
    for name in names {
        let expected = "rt_sigaction rt_sigprocmask alarm setitimer prlimit64 setrlimit umask chdir \
            open openat fstat newfstatat statx read close getuid geteuid getgid getegid prctl \
            setgroups setresgid";
        assert!(expected.split_whitespace().any(|it| it == name), "{name}: {with_privileges:?}");
    }
    let opened = with_privileges.iter().filter(|call| call.name.starts_with("open"));
    let opened: Vec<&str> = opened.filter_map(|call| call.line.split('"').nth(1)).collect();
    let conf = site.conf();
    assert_eq!(opened, ["/dev/null", conf.to_str().unwrap()]);
    // Before C's main: the loader.
    let loaded = calls[..start].iter().filter(|call| call.name.starts_with("open"));
    for call in loaded {
        let path = call.line.split('"').nth(1).unwrap();
        assert!(path == "/etc/ld.so.cache" || path.ends_with("/libc.so.6"), "{call:?}");
    }
}

#[test]
fn a_reason_is_written_as_the_caller() {
    let Some(site) = Site::new() else { return };
    fs::remove_file(site.conf()).unwrap();
    let file = site.path("scratch/trace");
    let options = ["-o", file.to_str().unwrap()];
    let ran = output(&mut traced(&site, &options, &["list-domain", "team"]));
    site.assert_refused(&ran, 78, "wrapper.conf");
    let text = fs::read_to_string(&file).unwrap();
    let (_, own) = text.split_once(&format!("execve(\"{}\"", site.wrapper().display())).unwrap();
    let becomes = own.find(&format!("\nsetuid({EXIM_UID}) ")).expect("it stayed root");
    assert!(becomes < own.find("\nwrite(2, ").unwrap(), "{own}");
}
