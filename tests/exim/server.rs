//! A private Exim: started, watched, stopped.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::checker;
use crate::config::{self, Site, Way};
use crate::daemon::Daemon;
use crate::smtp::Smtp;

/// How long a test waits for what Exim does by itself (starting, delivering).
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Exim with everything it writes.
pub(crate) struct Exim {
    /// The daemon of ours that it asks.
    pub(crate) asked: Option<Daemon>,
    directory: TempDir,
    daemon: Child,
    port: u16,
    may_panic: bool,
    /// Starts it on a port.
    spawn: Box<dyn Fn(u16) -> Child + Send>,
}

/// A message in the file of deliveries.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The envelope recipient.
    pub(crate) recipient: String,
    /// The message with its headers.
    pub(crate) text: String,
}

/// Starts an Exim for a test. `None` when it cannot run here, which CI does not allow.
pub(crate) fn start(site: &Site) -> Option<Exim> {
    let binary = exim_binary()?;
    start_in(site, &binary, make_directory())
}

/// The same in a folder of this kind.
pub(crate) fn start_in(site: &Site, binary: &Path, directory: TempDir) -> Option<Exim> {
    let root = directory.path();
    let (wrapper, daemon) = match site.way {
        Way::Program => (checker::install(&site.checker, root), None),
        Way::Daemon(socket) => {
            let lists = site.lists.clone().unwrap_or_else(|| root.join("lists"));
            (root.join("no-wrapper"), Some(Daemon::start(socket, root, &lists)))
        }
    };
    let socket = daemon.as_ref().map(Daemon::socket);
    let host = unique_host();
    let config = config::write(site, root, &wrapper, socket.as_deref(), &host);
    let mut exim = Exim::launch(binary, &config, directory, &host, site.may_panic);
    exim.asked = daemon;
    Some(exim)
}

/// The Exim to test, or `None` after saying why there is none.
pub(crate) fn exim_binary() -> Option<PathBuf> {
    let given = std::env::var_os("MMQ_TEST_EXIM").map(PathBuf::from);
    let known = ["/usr/sbin/exim4", "/usr/sbin/exim"].map(PathBuf::from);
    let binary = given.into_iter().chain(known).find(|path| path.is_file());
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        skip("the tests with Exim run as root")
    } else if account("Debian-exim").is_none() || account("list").is_none() {
        skip("users Debian-exim and list are needed: tools/setup exim")
    } else {
        binary.or_else(|| skip("no Exim: tools/setup exim"))
    }
}

/// Says why a test is skipped; in CI that is a failure.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skip(reason: &str) -> Option<PathBuf> {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
    None
}

/// A user's numeric ids.
pub(crate) fn account(name: &str) -> Option<(u32, u32)> {
    account_in(&fs::read_to_string("/etc/passwd").unwrap(), name)
}

/// The same, from the text of an `/etc/passwd`.
pub(crate) fn account_in(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then_some(())?;
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

impl Exim {
    /// Starts Exim with a written configuration and waits until it greets as `host`.
    pub(crate) fn launch(
        binary: &Path,
        config: &Path,
        directory: TempDir,
        host: &str,
        may_panic: bool,
    ) -> Exim {
        let mut command = Command::new(binary);
        command.arg("-C").arg(config);
        Exim::launch_command(command, directory, host, may_panic)
    }

    /// The same for a command that runs Exim, to which the options for a daemon are added.
    pub(crate) fn launch_command(
        command: Command,
        directory: TempDir,
        host: &str,
        may_panic: bool,
    ) -> Exim {
        let words: Vec<OsString> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(OsString::from)
            .collect();
        let output = directory.path().join("output");
        let spawn = Box::new(move |port| spawn(&words, port, &output));
        let port = free_port();
        let daemon = spawn(port);
        let mut exim = Exim { asked: None, directory, daemon, port, may_panic, spawn };
        while !exim.greets_as(host) {
            // Another process took the port in the meantime.
            exim.stop();
            exim.port = free_port();
            exim.daemon = (exim.spawn)(exim.port);
        }
        exim
    }

    /// Whether the server on our port is ours; waits until one answers.
    fn greets_as(&mut self, host: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                let mut greeting = String::new();
                let heard = BufReader::new(stream).read_line(&mut greeting).is_ok();
                return heard && greeting.contains(host);
            }
            if let Some(status) = self.daemon.try_wait().unwrap() {
                panic!("Exim ended with {status}: {}{}", self.log("panic"), self.log("main"));
            }
            assert!(Instant::now() < deadline, "Exim does not listen: {}", self.log("main"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A client's connection.
    pub(crate) fn connect(&self) -> Smtp {
        Smtp::connect(self.port)
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder of everything that belongs to this Exim.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Hands a message to Exim as a program on this machine does, and waits for it.
    pub(crate) fn submit(&self, sender: &str, recipients: &[&str], message: &[u8]) -> Output {
        let mut child = Command::new(exim_binary().unwrap())
            .arg("-C")
            .arg(self.directory.path().join("exim.conf"))
            .args(["-odi", "-oi", "-f", sender])
            .args(recipients)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Exim may have refused it before it has read all.
        let _ = child.stdin.take().unwrap().write_all(message);
        child.wait_with_output().unwrap()
    }

    /// The daemon's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.id()
    }

    /// A log (`main`, `reject`, `panic`) as it is now, without its time stamps.
    pub(crate) fn log(&self, name: &str) -> String {
        let path = self.directory.path().join("log").join(format!("{name}log"));
        let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let stamp = "2000-01-01 00:00:00 ".len();
        let dated = |line: &str| line.starts_with("20") && line.is_char_boundary(stamp);
        text.lines().fold(String::new(), |mut out, line| {
            out.push_str(if dated(line) { &line[stamp..] } else { line });
            out.push('\n');
            out
        })
    }

    /// What was delivered, once nothing is left in the queue.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        let deadline = Instant::now() + PATIENCE;
        while !self.queue_is_empty() {
            assert!(Instant::now() < deadline, "still queued: {}", self.log("main"));
            std::thread::sleep(Duration::from_millis(10));
        }
        let mailbox = fs::read(self.directory.path().join("mail/all")).unwrap_or_default();
        let mailbox = String::from_utf8_lossy(&mailbox).into_owned();
        format!("\n{mailbox}").split("\nFrom ").skip(1).map(Delivery::parse).collect()
    }

    /// The recipients of all deliveries, sorted.
    pub(crate) fn delivered_to(&self) -> Vec<String> {
        let mut all: Vec<_> = self.deliveries().into_iter().map(|one| one.recipient).collect();
        all.sort();
        all
    }

    /// Whether Exim has nothing left to deliver.
    pub(crate) fn queue_is_empty(&self) -> bool {
        match fs::read_dir(self.directory.path().join("spool/input")) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => true,
        }
    }

    /// Ends the daemon and waits for the processes that it has left: a delivery may be under way,
    /// and would write into the folder while it is being removed.
    fn stop(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.kill();
        }
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        let deadline = Instant::now() + PATIENCE;
        while runs_with(self.directory.path()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether any process was started with this path in its arguments.
fn runs_with(path: &Path) -> bool {
    let path = path.as_os_str().as_encoded_bytes();
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let mut lines = processes.filter_map(|one| fs::read(one.path().join("cmdline")).ok());
    lines.any(|line| line.windows(path.len()).any(|part| part == path))
}

impl Drop for Exim {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            show(&self.log("main"), &self.log("panic"));
        } else if !self.may_panic {
            assert_eq!(self.log("panic"), "", "Exim's paniclog");
        }
    }
}

/// Shows the logs of a test that failed.
#[allow(clippy::print_stderr, reason = "a test that failed shows Exim's logs")]
fn show(main: &str, panic: &str) {
    eprintln!("--- mainlog\n{main}--- paniclog\n{panic}");
}

impl Delivery {
    fn parse(text: &str) -> Delivery {
        let header = text.lines().find_map(|line| line.strip_prefix("Envelope-to: "));
        let recipient = header.expect("the transport names the recipient").to_owned();
        Delivery { recipient, text: text.to_owned() }
    }
}

/// Starts the daemon in the foreground.
fn spawn(words: &[OsString], port: u16, output: &Path) -> Child {
    let output = fs::File::create(output).unwrap();
    Command::new(&words[0])
        .args(&words[1..])
        .args(["-bdf", "-oX", &port.to_string()])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .expect("Exim starts")
}

/// A folder that Exim's and Mailman's users can pass through, with the fixtures' lists.
pub(crate) fn make_directory() -> TempDir {
    let directory = tempfile::Builder::new().prefix("mm-query-exim.").tempdir().unwrap();
    let root = directory.path();
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    let (uid, gid) = account("Debian-exim").unwrap();
    for name in ["spool", "log", "mail"] {
        fs::create_dir(root.join(name)).unwrap();
        chown(root.join(name), Some(uid), Some(gid)).unwrap();
    }
    copy_lists(&config::repository().join("tests/fixtures/lists"), &root.join("lists"));
    directory
}

/// Copies the lists, with the modes that Mailman gives them.
pub(crate) fn copy_lists(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o2775)).unwrap();
    for entry in fs::read_dir(from).expect("fixtures").map(Result::unwrap) {
        copy_list(&entry.path(), &to.join(entry.file_name()));
    }
}

/// Copies a list's folder.
pub(crate) fn copy_list(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o2775)).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A host name by which a test knows its own Exim.
pub(crate) fn unique_host() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("mail-{}-{number}.example.org", std::process::id())
}
