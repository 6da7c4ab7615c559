//! What a caller can do to a query under way: nothing.

use crate::site::{EXIM_GID, EXIM_UID, EXTRA_GID, LIST_GID, Site, as_user, output, set_mode};
use crate::supervision::{Running, assert_gone, pid, state};

/// Perl that tries everything on a process, and prints what has worked. The signals come last: they
/// end the process if they can.
const ATTEMPTS: &str = r#"
    my $pid = 0 + shift @ARGV;
    my %number = (SYSTEM_CALLS);
    sub call { my $name = shift; print "$name\n" if syscall($number{$name}, @_) >= 0 }
    my $memory = "\0" x 64;
    my ($f, $byte);
    my $area = pack 'PQ', $memory, 8;
    for my $file (qw(environ maps auxv io stack syscall personality fd/0 fd/1 exe)) {
        print "$file\n" if open($f, '<', "/proc/$pid/$file") && sysread($f, $byte, 1);
    }
    for my $mode (qw(< >)) {
        print "mem\n" if open($f, $mode, "/proc/$pid/mem");
    }
    for my $file (qw(clear_refs coredump_filter oom_score_adj timerslack_ns)) {
        print "write $file\n" if open($f, '>', "/proc/$pid/$file") && syswrite($f, "4\n");
    }
    for my $file (qw(exe cwd root fd/0 fd/1 fd/3 ns/user)) {
        print "readlink $file\n" if defined readlink "/proc/$pid/$file";
    }
    for my $dir (qw(fd fdinfo map_files task)) {
        print "list $dir\n" if opendir(my $d, "/proc/$pid/$dir") && $dir ne 'task';
    }
    call('process_vm_readv', $pid, $area, 1, $area, 1, 0);
    call('setpriority', 0, $pid, 19);
    call('sched_setaffinity', $pid, 8, $memory);
    my $zeros = pack 'QQ', 0, 0;
    call('prlimit64', $pid, 0, $zeros, 0);
    call('kcmp', $pid, $$, 0, 0, 0);
    my $handle = syscall($number{'pidfd_open'}, $pid, 0);
    call('pidfd_getfd', $handle, 0, 0) if $handle >= 0;
    for my $request (0x4206, 16) { call('ptrace', $request, $pid, 0, 0) }
    for my $signal (qw(0 STOP USR1 ALRM TERM KILL)) {
        print "signal $signal\n" if kill $signal, $pid;
    }
    print "tried\n";
"#;

fn attempts() -> String {
    let calls = [
        ("process_vm_readv", libc::SYS_process_vm_readv),
        ("setpriority", libc::SYS_setpriority),
        ("sched_setaffinity", libc::SYS_sched_setaffinity),
        ("prlimit64", libc::SYS_prlimit64),
        ("kcmp", libc::SYS_kcmp),
        ("pidfd_open", libc::SYS_pidfd_open),
        ("pidfd_getfd", libc::SYS_pidfd_getfd),
        ("ptrace", libc::SYS_ptrace),
    ];
    let calls = calls.map(|(name, number)| format!("{name} => {number}")).join(", ");
    ATTEMPTS.replace("SYSTEM_CALLS", &calls)
}

/// What works, as the mail server, on this process.
fn what_works(pid: u32) -> Vec<String> {
    let mut perl = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]);
    let ran = output(perl.args(["perl", "-e", &attempts()]).arg(pid.to_string()));
    let mut worked: Vec<_> =
        String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(worked.pop().as_deref(), Some("tried"), "{:?}", ran.stderr);
    worked
}

#[test]
fn the_caller_can_neither_look_into_a_query_nor_end_it() {
    let Some(site) = Site::new() else { return };
    let (running, report) = Running::start(&site, "sleep");
    for process in [running.wrapper(), pid(&report)] {
        assert_eq!(what_works(process), [""; 0]);
        assert_eq!(state(process), Some('S'));
    }
    // The attempts work where they may: on a process of the caller's own.
    let mut own =
        as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]).args(["sleep", "1000"]).spawn().unwrap();
    crate::supervision::soon(|| {
        std::fs::read_link(format!("/proc/{}/exe", own.id()))
            .ok()
            .filter(|exe| exe.ends_with("sleep"))
    });
    let worked = what_works(own.id());
    own.wait().unwrap();
    for attempt in
        ["mem", "environ", "list fd", "write clear_refs", "ptrace", "prlimit64", "signal TERM"]
    {
        assert!(worked.iter().any(|it| it == attempt), "{attempt} is not in {worked:?}");
    }
}

/// The weaker way to install it: as the program has the caller's user id, the caller may end it.
#[test]
fn of_a_setgid_query_the_caller_can_read_nothing() {
    let Some(site) = Site::new() else { return };
    set_mode(&site.wrapper(), 0, LIST_GID, 0o2755);
    let (running, report) = Running::start(&site, "sleep");
    let worked = what_works(pid(&report));
    for attempt in &worked {
        let harmless = [
            "list ",
            "write clear_refs",
            "write coredump_filter",
            "write oom_score_adj",
            "setpriority",
            "sched_setaffinity",
            "signal ",
        ];
        assert!(harmless.iter().any(|it| attempt.starts_with(it)), "{attempt} works");
    }
    assert!(worked.iter().any(|attempt| attempt == "signal KILL"), "{worked:?}");
    assert_gone(pid(&report));
    assert_eq!(running.end().status.code(), Some(70));
}
