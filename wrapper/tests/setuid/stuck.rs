//! A program that cannot even be killed.

use crate::site::{Site, skip};
use crate::supervision::NO_ANSWER;
use std::fs;
use std::process::Command;

/// A file system whose server takes questions and answers none: who looks into it waits, and not
/// even SIGKILL ends that. Then the wrapper, as the mail server; its output up to the end, and in
/// what state the program is then.
const STUCK: &str = r#"
    use Fcntl;
    my ($dir, $report, @command) = @ARGV;
    sysopen(my $fuse, '/dev/fuse', O_RDWR) or die "/dev/fuse: $!";
    my ($source, $type) = ('mm-query-test', 'fuse');
    my $options = 'fd=' . fileno($fuse) . ',rootmode=40000,user_id=0,group_id=0,allow_other';
    syscall(SYS_MOUNT, $source, $dir, $type, 6, $options) == 0 or die "mount: $!";
    sysread($fuse, my $question, 1 << 17) or die "init: $!";
    my (undef, undef, $id) = unpack 'LLQ', $question;
    my $answer = pack 'LLLLSSL', 7, 12, 0, 0, 0, 0, 4096;
    syswrite($fuse, pack('LlQ', 16 + length $answer, 0, $id) . $answer) or die "init: $!";
    my $pid = open(my $output, '-|') // die "fork: $!";
    if (!$pid) { open(STDERR, '>&STDOUT'); exec @command; exit 126 }
    sysread($fuse, $question, 1 << 17) or die "no question: $!";
    print <$output>;
    close $output;
    my $status = $? >> 8;
    open(my $file, '<', $report) or die "no report: $!";
    my ($program) = join('', <$file>) =~ /^status Pid:\s+(\d+)$/m or die 'no pid';
    # SIGKILL has woken it for a moment.
    for (1..1000) {
        open($file, '<', "/proc/$program/status") or die "the program is gone: $!";
        ($state) = grep { /^State:/ } <$file>;
        last if $state =~ /D/;
        select undef, undef, undef, 0.01;
    }
    print $state;
    exit $status;
"#;

#[test]
fn a_program_that_cannot_be_killed_does_not_hold_the_caller() {
    let Some(site) = Site::quick() else { return };
    if !std::path::Path::new("/dev/fuse").exists() {
        let _: Option<()> = skip("needs /dev/fuse");
        return;
    }
    let dir = site.path("stuck");
    fs::create_dir_all(&dir).unwrap();
    let query = site.command(&["list-domain", "open"]);
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation=private", "perl", "-e"]);
    command.arg(STUCK.replace("SYS_MOUNT", &libc::SYS_mount.to_string()));
    command.arg(&dir).arg(site.path("report/state"));
    command.arg(query.get_program()).args(query.get_args());
    let ran = command.output().unwrap();
    assert_eq!(ran.status.code(), Some(75), "{ran:?}");
    let shown = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(shown, format!("{NO_ANSWER}State:\tD (disk sleep)\n"), "{ran:?}");
}
