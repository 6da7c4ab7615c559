//! What systemd does for a daemon and wants of it: sockets handed over, notifications, the watchdog.

use crate::support::{command, copy_lists, fixtures};
use mm_query::serve::client::ask;
use mm_query::serve::listen::Address;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn site() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy_lists(&dir.path().join("lists"));
    std::fs::write(dir.path().join("mm_cfg.py"), "from Defaults import *\n").unwrap();
    dir
}

/// As systemd starts a program with this socket: a shell puts it where it belongs and says so.
fn activate(dir: &Path, socket: &UnixListener) -> Child {
    let program = env!("CARGO_BIN_EXE_mm-query");
    let script = format!(
        "exec 3<&0 </dev/null; LISTEN_FDS=1; LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; \
         exec {program} serve --lists-dir={0}/lists --mm-cfg={0}/mm_cfg.py",
        dir.display()
    );
    Command::new("/bin/sh")
        .args(["-c", &script])
        .env_clear()
        .stdin(OwnedFd::from(socket.try_clone().unwrap()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn question(address: &Address) -> String {
    let request = b"mm-query: 1\nquery: test-sender\nlist: announce\nfrom: eve@example.net\n\n";
    ask(address, request).unwrap().word
}

#[test]
fn with_a_socket_of_systemd_no_client_is_ever_turned_away() {
    let dir = site();
    let path = dir.path().join("activated");
    let socket = UnixListener::bind(&path).unwrap();
    let address = Address::Unix(path.clone());
    for round in 0..4 {
        // Nobody listens to this one yet; it waits in the socket.
        let waiting = {
            let address = address.clone();
            std::thread::spawn(move || question(&address))
        };
        let mut child = activate(dir.path(), &socket);
        assert_eq!(waiting.join().unwrap(), "reject");
        assert_eq!(question(&address), "reject");
        if round % 2 == 0 {
            child.kill().unwrap();
        } else {
            let pid = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        }
        child.wait().unwrap();
        assert!(path.exists(), "the socket is systemd's");
    }
}

fn receive(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 512];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

fn notified(name: &str, socket: &UnixDatagram) {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let dir = site();
    let mut child = command(dir.path())
        .arg(format!("--listen={}", dir.path().join("socket").display()))
        .env("NOTIFY_SOCKET", name)
        .env("WATCHDOG_USEC", "600000")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(receive(socket), "READY=1");
    // Signs of life, each within its time.
    let mut last = Instant::now();
    for _ in 0..3 {
        assert_eq!(receive(socket), "WATCHDOG=1");
        last = Instant::now();
    }
    let _ = last;
    let pid = rustix::process::Pid::from_child(&child);
    let until = |wanted: &str| loop {
        let state = receive(socket);
        if state != "WATCHDOG=1" {
            assert!(state.starts_with(wanted), "{state}");
            return state;
        }
    };
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    let state = until("RELOADING=1");
    assert!(state.contains("\nMONOTONIC_USEC="), "{state}");
    until("READY=1");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    until("STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_service_manager_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    notified(path.to_str().unwrap(), &UnixDatagram::bind(&path).unwrap());
}

#[test]
fn the_service_manager_may_have_an_abstract_socket() {
    let name = format!("mm-query-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    notified(&format!("@{name}"), &UnixDatagram::bind_addr(&address).unwrap());
}

fn unit(name: &str) -> String {
    let file = fixtures().join("../../systemd").join(name);
    std::fs::read_to_string(file).unwrap()
}

/// systemd itself finds nothing wrong with the unit files, and little exposed.
#[test]
fn the_units_are_what_systemd_takes() {
    let folder = fixtures().join("../../systemd");
    let root = tempfile::tempdir().unwrap();
    let units = root.path().join("etc/systemd/system");
    std::fs::create_dir_all(&units).unwrap();
    for name in ["mm-query.service", "mm-query.socket"] {
        std::fs::copy(folder.join(name), units.join(name)).unwrap();
    }
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--threshold=15", "--no-pager"])
        .arg(units.join("mm-query.service"))
        .output()
        .expect("systemd-analyze");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let score = text.lines().last().unwrap_or_default().to_owned();
    println!("{score}");
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for directive in [
        "User=list",
        "ProtectSystem=strict",
        "PrivateNetwork=yes",
        "MemoryMax=",
        "SystemCallFilter=",
    ] {
        assert!(
            unit("mm-query.service").lines().any(|line| line.starts_with(directive)),
            "{directive}"
        );
    }
}
