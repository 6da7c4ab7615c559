//! Clients that mean no good, or do no good.

use crate::support::Running;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const QUESTION: &[u8] = b"mm-query: 1\nquery: test-sender\nlist: team\nfrom: alice@example.org\n\n";

fn connect(running: &Running) -> UnixStream {
    let stream = UnixStream::connect(running.socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

fn read(mut stream: impl Read) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn silent_and_slow_clients_hold_up_nobody_and_get_an_error_in_the_end() {
    let running = Running::new(&["--threads=1"]);
    let silent = connect(&running);
    let mut slow = connect(&running);
    let began = Instant::now();
    let mut asked = 0;
    for byte in QUESTION.iter().cycle().take(24) {
        // A byte now and then is no more welcome than none: the time is for the whole request.
        if slow.write_all(std::slice::from_ref(byte)).is_err() {
            break;
        }
        for _ in 0..20 {
            assert_eq!(running.sender("team", "alice@example.org"), "accept");
            asked += 1;
        }
        std::thread::sleep(Duration::from_millis(500).saturating_sub(began.elapsed() / 100));
    }
    assert!(asked >= 100);
    assert_eq!(read(&silent), "error\n75 the request took too long\n");
    assert_eq!(read(&slow), "error\n75 the request took too long\n");
}

#[test]
fn a_flood_of_connections_leaves_room_for_others() {
    let running = Running::new(&["--connections=20", "--threads=1"]);
    let flood: Vec<UnixStream> = (0..300).map(|_| connect(&running)).collect();
    for _ in 0..50 {
        assert_eq!(running.sender("team", "alice@example.org"), "accept");
    }
    assert!(running.size().0 < 60, "{:?}", running.size());
    // The oldest were told.
    assert_eq!(read(&flood[0]), "error\n75 too many connections\n");
    drop(flood);
    assert_eq!(running.sender("team", "alice@example.org"), "accept");
}

#[test]
fn a_client_that_waits_for_its_answer_is_not_dropped_for_idle_ones() {
    let running = Running::new(&["--connections=4", "--threads=1", "--workers=1"]);
    // Half of it has come, half of it comes when others have been pushed out.
    let mut patient = connect(&running);
    patient.write_all(QUESTION).unwrap();
    let _idle: Vec<UnixStream> = (0..30).map(|_| connect(&running)).collect();
    assert!(read(&patient).starts_with("accept\n"));
}

#[test]
fn a_request_that_does_not_end_is_an_error() {
    let running = Running::new(&[]);
    let mut stream = connect(&running);
    let line = [b"x: ".as_slice(), &[b'y'; 60_000], b"\n"].concat();
    let mut sent = 0;
    // It may be cut off while we still write.
    while sent < 8 << 20 && stream.write_all(&line).is_ok() {
        sent += line.len();
    }
    assert!(sent < 8 << 20, "all of it was taken");
    let mut answer = String::new();
    if stream.read_to_string(&mut answer).is_ok() {
        assert_eq!(answer, "error\n64 the request is too long\n");
    }
    assert_eq!(running.sender("team", "alice@example.org"), "accept");
    assert!(running.size().1 < 100_000, "{:?}", running.size());
}

#[test]
fn a_long_request_gets_its_error_before_it_has_ended() {
    let running = Running::new(&[]);
    let mut stream = connect(&running);
    let part = vec![b'x'; (1 << 20) + 4096];
    // The daemon reads while we write, and answers once it is too much.
    stream.write_all(&part).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(read(&stream).starts_with("error\n64 "));
}

#[test]
fn half_open_and_vanishing_clients_leave_nothing_behind() {
    let running = Running::new(&["--threads=1"]);
    running.sender("team", "alice@example.org");
    let before = running.size();
    for n in 0..2_000 {
        let mut stream = connect(&running);
        match n % 5 {
            0 => {}
            1 => stream.write_all(&QUESTION[..n % QUESTION.len()]).unwrap(),
            // Nobody reads the answer.
            2 => stream.write_all(QUESTION).unwrap(),
            3 => stream
                .shutdown(Shutdown::Read)
                .and_then(|()| stream.write_all(QUESTION))
                .unwrap_or(()),
            _ => stream.shutdown(Shutdown::Write).unwrap(),
        }
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        assert_eq!(running.sender("team", "alice@example.org"), "accept");
        let after = running.size();
        if after.0 <= before.0 {
            break;
        }
        assert!(Instant::now() < deadline, "{before:?} {after:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn only_those_who_may_ask_get_answers() {
    let stranger = rustix::process::geteuid().as_raw().wrapping_add(77).to_string();
    let group = rustix::process::getegid().as_raw().wrapping_add(77).to_string();
    let own = rustix::process::geteuid().as_raw().to_string();
    let dir = tempfile::tempdir().unwrap();
    crate::support::copy_lists(&dir.path().join("lists"));
    std::fs::write(dir.path().join("mm_cfg.py"), "from Defaults import *\n").unwrap();
    for (options, wanted) in [
        (vec![format!("--allow-user={stranger}")], "error\n77 you may not ask here\n"),
        (vec![format!("--allow-group={group}")], "error\n77 you may not ask here\n"),
        (vec![format!("--allow-user={stranger}"), format!("--allow-user={own}")], "accept\n"),
    ] {
        let socket = dir.path().join("socket");
        let mut child = crate::support::command(dir.path())
            .arg(format!("--listen={}", socket.display()))
            .args(&options)
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let answer = loop {
            if let Ok(mut stream) = UnixStream::connect(&socket) {
                stream.write_all(QUESTION).unwrap();
                break read(stream);
            }
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(answer.starts_with(wanted), "{options:?}: {answer}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn tcp_answers_reach_clients_that_send_too_much() {
    let running = Running::new(&["--listen=inet:127.0.0.1:24711", "--threads=1"]);
    for _ in 0..50 {
        let mut stream = TcpStream::connect("127.0.0.1:24711").unwrap();
        stream.write_all(QUESTION).unwrap();
        assert_eq!(read(&stream), "accept\n");
        let mut stream = TcpStream::connect("127.0.0.1:24711").unwrap();
        stream.write_all(b"HELO there\r\nMAIL FROM:<>\r\n\r\n").unwrap();
        assert_eq!(read(&stream), "error\n64 a line without a colon\n");
    }
    drop(running);
}

#[test]
fn other_addresses_than_loopback_take_a_word() {
    let dir = tempfile::tempdir().unwrap();
    crate::support::copy_lists(&dir.path().join("lists"));
    std::fs::write(dir.path().join("mm_cfg.py"), "from Defaults import *\n").unwrap();
    for address in ["inet:0.0.0.0:24712", "inet:[::]:24712", "inet:localhost:1", "socket"] {
        let output = crate::support::command(dir.path())
            .arg(format!("--listen={address}"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(64), "{address}: {output:?}");
    }
}

#[test]
fn without_descriptors_idle_clients_make_room() {
    let dir = tempfile::tempdir().unwrap();
    crate::support::copy_lists(&dir.path().join("lists"));
    std::fs::write(dir.path().join("mm_cfg.py"), "from Defaults import *\n").unwrap();
    let socket = dir.path().join("socket");
    let daemon = crate::support::command(dir.path());
    let mut child = std::process::Command::new("prlimit")
        .args(["--nofile=40:40", "--"])
        .arg(daemon.get_program())
        .args(daemon.get_args())
        .arg(format!("--listen={}", socket.display()))
        .args(["--connections=1000", "--threads=2", "--log=error"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    let _idle: Vec<UnixStream> = (0..200).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    for _ in 0..20 {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(QUESTION).unwrap();
        assert_eq!(read(stream), "accept\n");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
