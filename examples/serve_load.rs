//! Loads a daemon as many Exim processes would: a connection for each question.
//!
//! `serve_load MM_QUERY DIR [--seconds N] [--clients N] [--inet] [--attach ADDRESS]`: DIR gets (once)
//! 200 lists of 1,000 members and one of 1,000,000, by `target/release/examples/big_list` beside this
//! program. Starts `MM_QUERY serve` on them and prints the time of the first question to the large
//! list, then queries a second and percentiles of the time from `connect` to the end of the answer;
//! in between, lists that nobody asks about are replaced. At the end the daemon's own counters, its
//! memory and descriptors.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a tool for developers"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

const LISTS: usize = 200;
const MEMBERS: usize = 1_000;
const BIG: usize = 1_000_000;

struct Options {
    program: PathBuf,
    dir: PathBuf,
    seconds: u64,
    clients: usize,
    inet: bool,
}

fn options() -> Options {
    let mut args = std::env::args().skip(1);
    let usage = "usage: serve_load MM_QUERY DIR [--seconds N] [--clients N] [--inet]";
    let (program, dir) = (args.next().expect(usage).into(), args.next().expect(usage).into());
    let mut options = Options { program, dir, seconds: 10, clients: 8, inet: false };
    while let Some(arg) = args.next() {
        let mut number = || args.next().expect(usage).parse().expect(usage);
        match arg.as_str() {
            "--seconds" => options.seconds = number(),
            "--clients" => options.clients = number() as usize,
            "--inet" => options.inet = true,
            _ => panic!("{usage}"),
        }
    }
    options
}

/// Where the daemon listens.
#[derive(Clone)]
enum Place {
    Unix(PathBuf),
    Inet(u16),
}

fn ask(place: &Place, request: &[u8], answer: &mut Vec<u8>) -> std::io::Result<()> {
    answer.clear();
    match place {
        Place::Unix(path) => {
            let mut stream = UnixStream::connect(path)?;
            stream.write_all(request)?;
            stream.shutdown(Shutdown::Write)?;
            stream.read_to_end(answer)?;
        }
        Place::Inet(port) => {
            let mut stream = TcpStream::connect(("127.0.0.1", *port))?;
            stream.write_all(request)?;
            stream.shutdown(Shutdown::Write)?;
            stream.read_to_end(answer)?;
        }
    }
    Ok(())
}

fn question(list: &str, sender: &str) -> Vec<u8> {
    format!(
        "mm-query: 1\nquery: test-sender\nlist: {list}\nenvelope-from: {sender}\nfrom: {sender}\n\n"
    )
    .into_bytes()
}

/// A member as big_list writes them, or a stranger.
fn sender(n: usize, of: usize) -> String {
    let member = n % of;
    if n.is_multiple_of(2) {
        format!("u{member:07}@h{:03}.example", member % 1000)
    } else {
        format!("s{n}@elsewhere.example")
    }
}

fn make_lists(dir: &Path) {
    let maker = std::env::current_exe().unwrap().with_file_name("big_list");
    let make = |name: &str, members: usize| {
        let list = dir.join(name);
        if list.join("config.pck").exists() {
            return;
        }
        std::fs::create_dir_all(&list).unwrap();
        let done = Command::new(&maker).arg(members.to_string()).arg(&list).status().unwrap();
        assert!(done.success(), "big_list");
    };
    for n in 0..LISTS {
        make(&format!("list{n}"), MEMBERS);
    }
    make("unrelated", MEMBERS);
    make("big", BIG);
}

fn start(options: &Options, place: &Place) -> Child {
    let address = match place {
        Place::Unix(path) => path.display().to_string(),
        Place::Inet(port) => format!("inet:127.0.0.1:{port}"),
    };
    let child = Command::new(&options.program)
        .args(["serve", "--log=error", &format!("--listen={address}")])
        .arg(format!("--lists-dir={}", options.dir.display()))
        .spawn()
        .unwrap();
    let ping = b"mm-query: 1\nquery: ping\n\n";
    let deadline = Instant::now() + Duration::from_secs(10);
    while ask(place, ping, &mut Vec::new()).is_err() {
        assert!(Instant::now() < deadline, "no daemon");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn percentile(times: &[u32], thousandths: usize) -> f64 {
    let at = (times.len() * thousandths / 1000).min(times.len() - 1);
    f64::from(times[at]) / 1000.0
}

fn load(options: &Options, place: &Place, seconds: u64, replace: bool) {
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let mut times: Vec<u32> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..options.clients)
            .map(|client| {
                let stop = &stop;
                scope.spawn(move || {
                    let (mut times, mut answer, mut n) = (Vec::new(), Vec::new(), client * 7919);
                    let end = Instant::now() + Duration::from_secs(seconds);
                    while Instant::now() < end {
                        n += 1;
                        let list = n % (LISTS + 1);
                        let (list, of) = match list {
                            LISTS => ("big".to_owned(), BIG),
                            n => (format!("list{n}"), MEMBERS),
                        };
                        let request = question(&list, &sender(n, of));
                        let start = Instant::now();
                        ask(place, &request, &mut answer).expect("an answer");
                        times.push(start.elapsed().as_nanos().try_into().unwrap_or(u32::MAX));
                        assert!(
                            !answer.starts_with(b"error") && answer.contains(&b'\n'),
                            "{answer:?}"
                        );
                    }
                    stop.store(true, Relaxed);
                    times
                })
            })
            .collect();
        if replace {
            let file = options.dir.join("unrelated/config.pck");
            let new = options.dir.join("unrelated/config.pck.tmp");
            let mut answer = Vec::new();
            while !stop.load(Relaxed) {
                std::fs::copy(&file, &new).unwrap();
                std::fs::rename(&new, &file).unwrap();
                ask(place, &question("unrelated", "x@y.example"), &mut answer).unwrap();
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let took = began.elapsed().as_secs_f64();
    times.sort_unstable();
    println!(
        "{} queries, {:.0}/s; 50 % {:.0} us, 90 % {:.0} us, 99 % {:.0} us, 99.9 % {:.0} us, most {:.0} us",
        times.len(),
        times.len() as f64 / took,
        percentile(&times, 500),
        percentile(&times, 900),
        percentile(&times, 990),
        percentile(&times, 999),
        percentile(&times, 1000),
    );
}

fn memory(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).unwrap_or("?").to_owned()
    };
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    format!("resident {} KiB, {fds} descriptors", of("VmRSS"))
}

fn main() {
    let options = options();
    make_lists(&options.dir);
    let place = match options.inet {
        true => Place::Inet(14_711),
        false => Place::Unix(options.dir.join("socket")),
    };
    let mut daemon = start(&options, &place);
    println!("before: {}", memory(daemon.id()));
    let mut answer = Vec::new();
    let began = Instant::now();
    ask(&place, &question("big", &sender(2, BIG)), &mut answer).unwrap();
    println!("first question to {BIG} members: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    assert!(answer.starts_with(b"accept"), "{answer:?}");
    load(&options, &place, 1, false);
    println!("warm: {}", memory(daemon.id()));
    print!("steady: ");
    load(&options, &place, options.seconds, false);
    print!("while another list changes: ");
    load(&options, &place, options.seconds, true);
    println!("after: {}", memory(daemon.id()));
    ask(&place, b"mm-query: 1\nquery: status\n\n", &mut answer).unwrap();
    print!("{}", String::from_utf8_lossy(&answer));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
