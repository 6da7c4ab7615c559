//! What a caller can leave behind in a process, and arguments: none of it reaches the program.

use crate::identity::assert_only_list;
use crate::site::{EXIM_GID, EXIM_UID, EXTRA_GID, Report, Site, as_user, output};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

const QUERY: [&str; 2] = ["list-domain", "team"];

fn run_after(site: &Site, deeds: &str) -> Report {
    site.assert_run(&site.run_after(deeds, &QUERY))
}

fn assert_fixed_environment(report: &Report) {
    let constant = [r"LC_ALL=C\x00", r"MMQ_TIMED=1\x00", r"PATH=/usr/bin:/bin\x00"];
    assert_eq!(report.all("env"), constant);
}

#[test]
fn environment_is_constant() {
    let Some(site) = Site::new() else { return };
    let hostile = "%ENV = (LD_PRELOAD => '/nonexistent.so', LD_LIBRARY_PATH => '/tmp',
        LD_BIND_NOW => 1, LD_AUDIT => '/nonexistent.so', GLIBC_TUNABLES => 'glibc.malloc.check=3',
        PYTHONPATH => '/tmp', PYTHONSTARTUP => '/tmp/x', TZ => '/etc/shadow', LC_ALL => 'de_DE',
        'BASH_FUNC_x%%' => '() { :; }', x => '() { :; }; id', SHELLOPTS => 'xtrace',
        PS4 => '$(id)', IFS => '/', RUST_BACKTRACE => 'full', RUST_MIN_STACK => 1,
        PATH => '/tmp:.', HOME => '/tmp', MALLOC_CHECK_ => 3, TMPDIR => '/tmp',
        MMQ_WRAPPER_CONF => '/tmp/x', MMQ_WRAPPER_PROGRAM => '/bin/false')";
    assert_fixed_environment(&run_after(&site, hostile));
    assert_fixed_environment(&run_after(&site, "%ENV = ()"));
}

/// Perl for `execve` with these raw arrays, which may be empty or repeat a key.
fn execve(argv: &str, envp: &str) -> String {
    let number = libc::SYS_execve;
    format!(
        "my @argv = ({argv}); my @envp = ({envp});
         my $argv = pack('p*', @argv, undef); my $envp = pack('p*', @envp, undef);
         syscall({number}, $ARGV[0], $argv, $envp)"
    )
}

#[test]
fn repeated_and_malformed_variables_are_gone() {
    let Some(site) = Site::new() else { return };
    let envp = "'PATH=/tmp', 'PATH=.', 'LC_ALL=x', 'LC_ALL=y', 'novalue', '=', '', 'PATH'";
    let deeds = execve("'w', 'list-domain', 'team'", envp);
    assert_fixed_environment(&run_after(&site, &deeds));
}

#[test]
fn argv0_is_never_used() {
    let Some(site) = Site::new() else { return };
    for argv0 in ["''", "'--help'", "'/bin/sh'", "\"\\n\\x1b\"", "'x' x 100000"] {
        let report = run_after(&site, &execve(&format!("{argv0}, 'list-domain', 'team'"), ""));
        assert_eq!(report.all("arg"), ["mm-query", "list-domain", "team"]);
        assert!(report.all("exe")[0].ends_with("/mm-query"));
    }
    // An empty argv, which newer kernels make one empty string.
    site.assert_refused(&site.run_after(&execve("", ""), &[]), 64, "subcommand not allowed");
}

/// The descriptors open in the program, with what they refer to.
fn files(report: &Report) -> Vec<(u32, String)> {
    let split = |line: &str| {
        let (number, target) = line.split_once(' ').unwrap();
        (number.parse().unwrap(), target.to_owned())
    };
    let mut files: Vec<_> = report.all("fd").into_iter().map(split).collect();
    files.sort();
    files
}

const OPEN_FILES: &str = "open(my $f, '<', '/etc/passwd'); for (3, 4, 42, 255, 900) {
    POSIX::dup2(fileno($f), $_) == $_ or die 'dup2' }";

#[test]
fn inherited_files_are_closed() {
    let Some(site) = Site::new() else { return };
    let numbers: Vec<u32> =
        files(&run_after(&site, OPEN_FILES)).into_iter().map(|file| file.0).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

#[test]
fn inherited_files_above_a_lowered_limit_are_closed() {
    let Some(site) = Site::new() else { return };
    let lowered = format!(
        "{OPEN_FILES}; my $limit = pack('QQ', 20, 20);
         syscall({}, {}, $limit) == 0 or die 'setrlimit'",
        libc::SYS_setrlimit,
        libc::RLIMIT_NOFILE
    );
    assert_eq!(files(&run_after(&site, &lowered)).len(), 3);
}

#[test]
fn inherited_files_are_closed_where_there_is_no_close_range() {
    let Some(site) = Site::new() else { return };
    // A filter that root installs for its children: close_range fails with ENOSYS (38).
    let filter = format!(
        "my $code = pack('SCCL' x 4, 0x20,0,0,0, 0x15,0,1,{}, 6,0,0,0x00050000|38, 6,0,0,0x7fff0000);
         my $program = pack('Sx6P', 4, $code);
         syscall({}, 22, 2, $program, 0, 0) == 0 or die 'seccomp';
         syscall({0}, 900, 900, 0) == -1 && $! == 38 or die 'not filtered'",
        libc::SYS_close_range,
        libc::SYS_prctl
    );
    let mut command = Command::new("perl");
    command.arg("-e").arg(format!("{filter}; exec @ARGV; exit 126"));
    let user = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]);
    command.arg(user.get_program()).args(user.get_args());
    let ran = output(site.after(command, OPEN_FILES).args(QUERY));
    let numbers: Vec<u32> = files(&site.assert_run(&ran)).into_iter().map(|file| file.0).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

#[test]
fn closed_standard_streams_become_null() {
    let Some(site) = Site::new() else { return };
    for closed in 0..8 {
        let which: Vec<u32> = (0..3).filter(|fd| closed & (1 << fd) != 0).collect();
        let close = which.iter().map(|fd| format!("POSIX::close({fd});")).collect::<String>();
        let report = run_after(&site, &close);
        let files = files(&report);
        assert_eq!(files.iter().map(|file| file.0).collect::<Vec<_>>(), [0, 1, 2], "{which:?}");
        // libc itself may have chosen /dev/full. The other two are pipes to the wrapper.
        if which.contains(&0) {
            assert!(["/dev/null", "/dev/full"].contains(&files[0].1.as_str()), "{files:?}");
        }
        assert!(files[1..].iter().all(|file| file.1.starts_with("pipe:")), "{files:?}");
    }
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn ignored_and_blocked_signals_are_reset() {
    let Some(site) = Site::new() else { return };
    let deeds = format!(
        "my $ignore = pack('Q4', 1, 0, 0, 0); my $all = pack('Q', ~0);
         for my $signal (1..64) {{ syscall({0}, $signal, $ignore, 0, 8) }}
         syscall({1}, 2, $all, 0, 8);
         open(my $s, '<', '/proc/self/status');
         my $status = join '', <$s>;
         $status =~ /SigIgn:\\s+fffffffffffbfeff/ or die $status;
         $status =~ /SigBlk:\\s+fffffffffffbfeff/ or die $status",
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask
    );
    let report = run_after(&site, &deeds);
    for field in ["SigIgn", "SigBlk", "SigCgt", "SigPnd"] {
        assert_eq!(report.status(field), "0000000000000000", "{field}");
    }
    let exims = run_after(&site, "$SIG{USR1} = 'IGNORE'");
    assert_eq!(exims.status("SigIgn"), "0000000000000000");
}

#[test]
fn running_timers_are_cancelled() {
    let Some(site) = Site::new() else { return };
    let deeds = format!(
        "my $long = pack('q4', 1000, 0, 1000, 0);
         for my $timer (0..2) {{ syscall({}, $timer, $long, 0) == 0 or die 'timer' }}",
        libc::SYS_setitimer
    );
    assert_eq!(run_after(&site, &deeds).all("timer"), ["0 0"; 3]);
}

#[test]
fn directory_umask_and_core_size_are_reset() {
    let Some(site) = Site::new() else { return };
    let deeds = format!(
        "my $d = '{}'; mkdir $d or die; chdir $d or die; rmdir $d or die; umask 0",
        site.path("scratch/gone").display()
    );
    let mut command = Command::new("prlimit");
    let user = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]);
    command.arg("--core=unlimited").arg(user.get_program()).args(user.get_args());
    let report = site.assert_run(&output(site.after(command, &deeds).args(QUERY)));
    assert_eq!(report.all("cwd"), ["/"]);
    assert_eq!(report.status("Umask"), "0077");
    let limits = report.all("limit");
    let core = limits.iter().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"]);
}

#[test]
fn arguments_arrive_as_they_are() {
    let Some(site) = Site::new() else { return };
    let args = [
        "test-sender",
        "team",
        "",
        "--from= \"a b\" <x@y>\n\t$(id) `id` ${run{x}} \\ ' ; | & * ü",
        "--envelope-from=",
        "--reply-to=--lists-dir=/tmp",
        "--sender=-",
        "--base64",
        "--json",
        "--held=refuse",
        "--discarded=permit",
        "--approved",
        "--explain",
        "--utf8",
        "a b",
        "../..",
    ];
    let report = site.assert_run(&site.run(&args));
    let mut expected = vec!["mm-query".to_owned()];
    expected.extend(args.iter().map(|arg| arg.as_bytes().escape_ascii().to_string()));
    assert_eq!(report.all("arg"), expected);
}

#[test]
fn large_arguments_arrive_and_larger_ones_are_refused() {
    let Some(site) = Site::new() else { return };
    let large = format!("--from={}", "x".repeat(100_000));
    let report = site.assert_run(&site.run(&["test-sender", "team", &large, &large]));
    assert_eq!(report.all("arg")[3..], [&large, &large]);
    let many = vec![large.as_str(); 12];
    let args = [&["test-sender", "team"][..], &many].concat();
    site.assert_refused(&site.run(&args), 64, "too many or too long");
    site.assert_refused(&site.run(&[&["test-sender"][..], &["a"; 64]].concat()), 64, "too many");
}

#[test]
fn anything_outside_the_allowed_list_runs_nothing() {
    let Some(site) = Site::new() else { return };
    for option in [
        "--lists-dir=/tmp",
        "--lists-dir",
        "--mm-cfg=/tmp/mm_cfg.py",
        "--config=/tmp/x",
        "--",
        "-",
        "--jso",
        "--help",
        "-h",
        "--version",
        "--from",
        "--held=accept",
        "-\n\u{1b}]0;x\u{7}",
    ] {
        for args in [["test-sender", option, "team"], ["test-sender", "team", option]] {
            site.assert_refused(&site.run(&args), 64, "option not allowed: -");
        }
        site.assert_refused(&site.run(&[option, "test-sender", "team"]), 64, "subcommand");
    }
    site.assert_refused(&site.run(&["list-domain", "team", "--explain"]), 64, "option");
    for name in ["", "doctor", "exim-setup", "/bin/sh", "list", "test-sender\n"] {
        site.assert_refused(&site.run(&[name, "team"]), 64, "subcommand not allowed: ");
    }
    site.assert_refused(&site.run(&[]), 64, "subcommand not allowed");
}

#[test]
fn a_refusal_keeps_its_status_when_it_cannot_be_written() {
    let Some(site) = Site::new() else { return };
    let no_reader = "pipe(my $r, my $w); POSIX::dup2(fileno($w), 2); close $r; close $w";
    for deeds in [no_reader, "open(STDERR, '>', '/dev/full')", "POSIX::close(2)"] {
        let ran = site.run_after(deeds, &["test-sender", "--help"]);
        assert_eq!(ran.status.code(), Some(64), "{deeds}: {ran:?}");
        assert!(site.report().is_none(), "the program was run");
    }
}

/// A caller can cripple a process so that it dies in libc, or cannot open a file. That must never
/// look like the program's answer: either the program ran as it should, or the status is neither
/// 0 nor 1.
#[test]
fn tiny_limits_give_no_answer() {
    let Some(site) = Site::new() else { return };
    let limits = "--nofile=3 --nofile=1 --nofile=0 --as=1000000 --as=4000000 --data=0 --stack=0 \
        --fsize=0 --cpu=0 --nproc=0 --memlock=0 --sigpending=0 --rttime=0";
    for limit in limits.split_whitespace() {
        let mut command = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]);
        // A shell, so that a prlimit that cannot set the limit (status 1) is not taken for ours.
        let script = format!("exec 2>/dev/null; prlimit --pid $$ {limit} || exit 99; exec \"$@\"");
        command.args(["sh", "-c", &script, "sh"]).arg(site.wrapper()).args(QUERY);
        let ran = command.output().unwrap();
        assert_ne!(ran.status.code(), Some(99), "{limit} could not be set");
        assert_ne!(ran.status.code(), Some(1), "{limit}: {ran:?}");
        match site.report() {
            Some(report) if ran.status.success() => assert_only_list(&report),
            // The kernel kills the wrapper at any clock tick then, so after the program's report too.
            Some(_) if limit == "--cpu=0" && ran.status.signal() == Some(9) => {}
            // Its own failure to write the report: under FSIZE 0 it dies by SIGXFSZ.
            Some(_) => assert_eq!(ran.status.code(), Some(70), "{limit}: {ran:?}"),
            None => assert_ne!(ran.status.code(), Some(0), "{limit}: {ran:?}"),
        }
    }
}
