//! Mixed traffic through real Exims and daemons while everything around them goes wrong.
//!
//! Every message must be delivered, refused rightly, or put off: none is lost, altered, or refused
//! where no state of its list would have Mailman refuse it. Without `MMQ_SOAK=SECONDS` it takes
//! half a minute; `make soak` takes an hour.

mod sizes;
mod traffic;
mod trouble;
mod verdicts;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::config::{Site, Way};
use crate::daemon::Socket;
use crate::server::{self, Exim};
use sizes::Sizes;
use traffic::Sent;
use trouble::Done;
use verdicts::Verdicts;

/// Connections to each of the two Exims.
const CLIENTS: usize = 4;

/// An Exim whose spool and lists are on small disks of their own.
struct Place {
    exim: Exim,
    socket: Socket,
}

/// What one of the two Exims came through.
struct Outcome {
    sent: Sent,
    done: Done,
    daemon: Sizes,
    listener: Sizes,
}

fn seconds() -> u64 {
    std::env::var("MMQ_SOAK").map_or(30, |text| text.parse().expect("MMQ_SOAK is in seconds"))
}

/// Takes the mounts away even if the test fails.
struct Mounted(Vec<std::path::PathBuf>);

impl Mounted {
    fn add(&mut self, path: &Path, megabytes: u32) {
        let (uid, gid) =
            server::account(if path.ends_with("lists") { "list" } else { "Debian-exim" })
                .expect("the accounts are there");
        let options = format!("size={megabytes}m,mode=755,uid={uid},gid={gid}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "mm-query-soak"]).arg(path);
        assert!(mount.status().unwrap().success(), "mounting a small disk at {}", path.display());
        self.0.push(path.to_owned());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = Command::new("umount").arg("-l").arg(path).status();
        }
    }
}

fn start(socket: Socket, mounted: &mut Mounted) -> Option<Place> {
    let binary = server::exim_binary()?;
    let directory = server::make_directory();
    let root = directory.path();
    mounted.add(&root.join("spool"), 40);
    verdicts::make_lists(root, |lists| mounted.add(lists, 4));
    trouble::write_mm_cfg(root, 0);
    let mut site = Site { way: Way::Daemon(socket), may_panic: true, ..Site::new() };
    site = site.set("MMQ_PATIENCE", "5s");
    let exim = server::start_in(&site, &binary, directory)?;
    Some(Place { exim, socket })
}

/// Drives one Exim for the whole time.
fn drive(place: &mut Place, verdicts: &Verdicts, time: Duration) -> Outcome {
    let deadline = Instant::now() + time;
    let over = AtomicBool::new(false);
    let root = place.exim.directory().to_owned();
    let port = place.exim.port();
    let listener = place.exim.pid();
    let mut daemon = place.exim.asked.take().unwrap();
    let mut done = Done::default();
    let (mut of_daemon, mut of_listener) = (Sizes::default(), Sizes::default());
    let mut sent = Sent::default();
    std::thread::scope(|scope| {
        let (over, root) = (&over, root.as_path());
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let name = format!("{:?}{client}", place.socket).to_lowercase();
                scope.spawn(move || traffic::client(&name, port, verdicts, deadline))
            })
            .collect();
        let writer = scope.spawn(move || trouble::write_lists(root, over));
        let disks = scope.spawn(move || trouble::fill_disks(root, time, over));
        let settings = scope.spawn(move || trouble::change_mm_cfg(root, time, over));
        // By TCP it is killed a hundred times an hour, the other one lives longer, to be weighed.
        let kills = match place.socket {
            Socket::Tcp => (time.as_secs() / 36).max(5),
            Socket::Held => (time.as_secs() / 600).max(1),
        };
        let life = time / u32::try_from(kills + 1).unwrap();
        while Instant::now() < deadline {
            let born = Instant::now();
            while born.elapsed() < life && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(200));
                of_daemon.weigh(daemon.pid().unwrap(), born.elapsed(), life);
                of_listener.weigh(listener, time.saturating_sub(deadline - Instant::now()), time);
            }
            if Instant::now() < deadline {
                daemon.kill();
                std::thread::sleep(Duration::from_millis(100));
                daemon.run();
                of_daemon.reborn();
                done.kills += 1;
            }
        }
        for client in clients {
            sent.add(client.join().unwrap());
        }
        over.store(true, Ordering::Relaxed);
        done.rewrites = writer.join().unwrap();
        done.fills = disks.join().unwrap();
        done.settings = settings.join().unwrap();
    });
    Outcome { sent, done, daemon: of_daemon, listener: of_listener }
}

#[test]
#[allow(clippy::print_stdout, reason = "the figures are what it is run for")]
fn nothing_is_lost_and_nothing_refused_wrongly() {
    let mut mounted = Mounted(Vec::new());
    let Some(mut tcp) = start(Socket::Tcp, &mut mounted) else { return };
    let Some(mut held) = start(Socket::Held, &mut mounted) else { return };
    let verdicts = Verdicts::ask(tcp.exim.directory());
    let time = Duration::from_secs(seconds());
    let outcomes = std::thread::scope(|scope| {
        let places =
            [&mut tcp, &mut held].map(|place| scope.spawn(|| drive(place, &verdicts, time)));
        places.map(|place| place.join().unwrap())
    });
    for (place, outcome) in [&tcp, &held].into_iter().zip(&outcomes) {
        println!("{:?}: {}; {}", place.socket, outcome.sent, outcome.done);
        println!("  daemon {}; Exim {}", outcome.daemon, outcome.listener);
        let unchecked = place.exim.log("main").matches("accepted unchecked").count();
        println!("  {unchecked} accepted unchecked; {}", outcome.sent.compare(&place.exim));
        assert_eq!(outcome.sent.wrong, Vec::<String>::new(), "answers that no state explains");
        assert!(outcome.sent.refused > 0 && outcome.sent.accepted() > 0, "there was traffic");
        assert!(outcome.done.kills > 0 && outcome.done.rewrites > 0 && outcome.done.fills > 0);
        outcome.daemon.assert_flat("the daemon");
        outcome.listener.assert_flat("Exim's listener");
        traffic::assert_only_full_disks(&place.exim.log("panic"));
    }
    drop((tcp, held));
}
