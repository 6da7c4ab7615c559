//! The daemon from its start to its end.

use super::allowed::Allowed;
use super::listen::{Address, FileOptions, Listener};
use super::log::{Level, Log, Sink, Writer};
use super::notify::Notify;
use super::poll::Poll;
use super::queue::Queue;
use super::service::Service;
use super::workers::{Mailbox, Shared, work};
use crate::exit::Status;
use crate::sandbox;
use crate::site::Site;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the daemon looks at its threads, unless systemd wants to hear of it more often.
const WATCH: Duration = Duration::from_secs(2);

/// How the daemon is to be.
#[derive(Debug)]
pub struct Options {
    /// Where it listens, besides the sockets that systemd hands over.
    pub addresses: Vec<Address>,
    /// Of its sockets' files.
    pub file: FileOptions,
    /// Who may ask.
    pub allowed: Allowed,
    /// Bytes that lists may take.
    pub cache_bytes: usize,
    /// Threads that take connections.
    pub threads: usize,
    /// Threads that read lists and judge messages.
    pub workers: usize,
    /// Connections at once.
    pub connections: usize,
    /// What is logged.
    pub level: Level,
    /// To the system's log, not to standard error.
    pub syslog: bool,
}

/// Why the daemon did not start or ended.
pub type Failure = (Status, String);

/// A daemon that runs.
#[derive(Debug)]
pub struct Daemon {
    shared: Arc<Shared>,
    polls: Vec<JoinHandle<()>>,
    mailboxes: Vec<Arc<Mailbox>>,
    beats: Vec<(Arc<AtomicU64>, u64)>,
    writer: JoinHandle<()>,
}

impl Daemon {
    /// Starts all threads; with `confine`, for good within what they need.
    ///
    /// # Errors
    /// What is missing.
    pub fn start(
        site: Site,
        options: Options,
        listeners: Vec<Listener>,
        confine: bool,
    ) -> Result<Daemon, Failure> {
        let sink = Sink::open(options.syslog)
            .map_err(|e| (Status::NoInput, format!("cannot open the system log: {e}")))?;
        let (log, writer) = super::log::new(sink, options.level);
        let gaps = if confine { confine_to(&site, &listeners, &log) } else { Vec::new() };
        let service = Service::new(site, options.cache_bytes, log.clone());
        let shared = Arc::new(Shared {
            service,
            listeners,
            queue: Queue::new(options.connections),
            allowed: options.allowed,
            connections: options.connections.div_ceil(options.threads.max(1)).max(1),
            stopping: AtomicBool::new(false),
        });
        let daemon = spawn(shared, writer, options.threads, options.workers)?;
        if confine && let Err(why) = sandbox::calls::filter_server() {
            log.line(Level::Warning, format!("unconfined by seccomp: {why}"));
        }
        for gap in gaps {
            log.line(Level::Warning, format!("unconfined {gap}"));
        }
        log.line(Level::Notice, format!("mm-query {} is ready", env!("CARGO_PKG_VERSION")));
        Ok(daemon)
    }

    /// What the threads share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether every thread has shown that it lives since this was asked last.
    fn lives(&mut self) -> bool {
        self.beats.iter_mut().all(|(beats, seen)| {
            let now = beats.load(Relaxed);
            now != std::mem::replace(seen, now)
        })
    }

    /// Whether a thread has ended that should not.
    fn is_broken(&self) -> bool {
        self.polls.iter().any(JoinHandle::is_finished)
    }

    /// Takes no more connections, answers those that there are, and ends.
    pub fn stop(self) {
        self.shared.service.log.line(Level::Notice, "ending");
        self.shared.listeners.iter().for_each(Listener::remove);
        self.shared.stopping.store(true, Relaxed);
        self.mailboxes.iter().for_each(|mailbox| mailbox.ring());
        for poll in self.polls {
            let _ = poll.join();
        }
        // Workers may hang on a disk; nobody waits for them any more.
        self.shared.queue.close();
        self.shared.service.log.close();
        let _ = self.writer.join();
    }
}

fn spawn(
    shared: Arc<Shared>,
    writer: Writer,
    threads: usize,
    workers: usize,
) -> Result<Daemon, Failure> {
    let failed = |e: std::io::Error| (Status::TryAgain, format!("cannot start a thread: {e}"));
    let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let writer = named("log").spawn(|| writer.run()).map_err(failed)?;
    for _ in 0..workers.max(1) {
        let shared = Arc::clone(&shared);
        let worker = move || {
            // A question's own panic is caught before; should one come from elsewhere, go on.
            while std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&shared))).is_err()
            {
            }
        };
        named("worker").spawn(worker).map_err(failed)?;
    }
    let (mut polls, mut mailboxes, mut beats) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..threads.max(1) {
        let poll = Poll::new(Arc::clone(&shared)).map_err(|e| failed(e.into()))?;
        mailboxes.push(poll.mailbox());
        beats.push((poll.beats(), 0));
        polls.push(named("poll").spawn(|| poll.run()).map_err(failed)?);
    }
    Ok(Daemon { shared, polls, mailboxes, beats, writer })
}

/// Gives up what the daemon does not need. Returns what it could not give up.
fn confine_to(site: &Site, listeners: &[Listener], log: &Log) -> Vec<String> {
    let folder = site.mm_cfg().and_then(|file| file.parent()).map(ToOwned::to_owned);
    let removable: Vec<_> = listeners.iter().filter_map(|l| l.directory()).collect();
    if rustix::process::geteuid().is_root() {
        log.line(
            Level::Warning,
            "running as root: use User=list, or another user that reads lists",
        );
    }
    sandbox::enter_server(site.lists.path(), folder.as_deref(), &removable)
}

/// Opens the sockets, runs until a signal ends it, and tells systemd.
///
/// # Errors
/// Why it did not start, or ended by itself.
pub fn run(site: Site, mut options: Options) -> Result<(), Failure> {
    let failed = |e: std::io::Error| (Status::Config, format!("signals: {e}"));
    let (mut term, mut hang_up) =
        (signals(&[SIGTERM, SIGINT]).map_err(failed)?, signals(&[SIGHUP]).map_err(failed)?);
    let notify = Notify::from_environment();
    let mut listeners =
        Listener::inherited().map_err(|e| (Status::Config, format!("a socket of systemd: {e}")))?;
    for address in &options.addresses {
        let listener = Listener::open(address, &options.file)
            .map_err(|e| (Status::Config, format!("cannot listen at {address}: {e}")))?;
        listeners.push(listener);
    }
    if listeners.is_empty() {
        return Err((Status::Usage, "nowhere to listen".into()));
    }
    options.connections = options.connections.min(room_for(options.connections));
    let mut daemon = Daemon::start(site, options, listeners, true)?;
    notify.ready();
    let interval = notify.watchdog().map_or(WATCH, |watchdog| (watchdog / 3).min(WATCH));
    loop {
        let (ends, reloads) = wait(&mut term, &mut hang_up, interval);
        if reloads {
            notify.reloading();
            daemon.shared.service.reload();
            notify.ready();
        }
        if daemon.is_broken() {
            return Err((Status::Internal, "a thread has ended".into()));
        }
        if daemon.lives() {
            notify.alive();
        }
        if ends {
            notify.stopping();
            daemon.stop();
            return Ok(());
        }
    }
}

/// A stream that gets a byte for each of these signals.
fn signals(signals: &[i32]) -> std::io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    for signal in signals {
        pipe::register(*signal, writer.try_clone()?)?;
    }
    Ok(reader)
}

/// Waits for a signal or so long: whether to end, and whether to reload.
fn wait(term: &mut UnixStream, hang_up: &mut UnixStream, most: Duration) -> (bool, bool) {
    let timeout = Timespec {
        tv_sec: i64::try_from(most.as_secs()).unwrap_or(1),
        tv_nsec: most.subsec_nanos().into(),
    };
    let mut polled = [PollFd::new(&*term, PollFlags::IN), PollFd::new(&*hang_up, PollFlags::IN)];
    match rustix::event::poll(&mut polled, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(_) => std::thread::sleep(most),
    }
    let came = |stream: &mut UnixStream| stream.read(&mut [0; 64]).is_ok_and(|count| count > 0);
    (came(term), came(hang_up))
}

/// Descriptors for what is not a connection: lists that are being read, sockets, streams.
const OTHER_DESCRIPTORS: u64 = 64;

/// Raises the limit of descriptors for so many connections, and says for how many there is room
/// then. They never get all: a list has to be opened, whoever else holds a connection.
fn room_for(connections: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_DESCRIPTORS);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let current = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        let raised = Rlimit { current: Some(current), ..limit };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    let Some(current) = limit.current else { return connections };
    let room = current.saturating_sub(OTHER_DESCRIPTORS).max(current / 4);
    usize::try_from(room).unwrap_or(usize::MAX)
}
