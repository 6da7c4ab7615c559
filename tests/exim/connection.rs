//! Many messages on one connection: nothing may pile up in Exim's process.

use std::fs;
use std::time::Duration;

use crate::config::Site;
use crate::server::start;
use crate::smtp::{Smtp, message};

/// What a process holds.
#[derive(Debug, PartialEq, Eq)]
struct Holdings {
    /// The targets of its open descriptors; sockets and pipes without their numbers.
    files: Vec<String>,
    /// Its children that ended and were not waited for.
    zombies: usize,
}

/// The fields of `/proc/PID/stat` after the command: state, parent, ...
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

/// The processes whose parent is `pid`, with their states.
fn children(pid: u32) -> Vec<(u32, String)> {
    let entries = fs::read_dir("/proc").unwrap().map(Result::unwrap);
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|child| {
            let fields = stat(child)?;
            (fields[1] == pid.to_string()).then(|| (child, fields[0].clone()))
        })
        .collect()
}

/// The process that serves the only open connection; others may be about to end.
fn only_child(pid: u32) -> u32 {
    for _ in 0..1000 {
        let mut alive = children(pid);
        alive.retain(|(_, state)| state != "Z");
        if let [(server, _)] = alive.as_slice() {
            return *server;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("one process serves the connection: {:?}", children(pid));
}

fn holdings(pid: u32) -> Holdings {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().map(Result::unwrap);
    let targets = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    let nameless = |target: std::path::PathBuf| {
        let text = target.display().to_string();
        text.split_once(":[").map_or(text.clone(), |(kind, _)| kind.to_owned())
    };
    let mut files: Vec<String> = targets.map(nameless).collect();
    files.sort();
    let zombies = children(pid).iter().filter(|(_, state)| state == "Z").count();
    Holdings { files, zombies }
}

/// Sends a message that is accepted or refused in turn.
fn post(smtp: &mut Smtp, number: usize) {
    let (sender, code) = match number % 2 {
        0 => ("alice@example.org", 250),
        _ => ("mallory@example.net", 550),
    };
    let reply = smtp.post(sender, "team@lists.example.org", &message(sender));
    assert_eq!(reply.code, code, "{number}: {reply:?}");
}

#[test]
fn two_hundred_messages_leave_no_trace_in_the_process() {
    // Accepted messages would be delivered by children that end when they like.
    let Some(exim) = start(&Site::new().main("queue_only = true")) else { return };
    let mut smtp = exim.connect();
    // The first two open what stays open (logs).
    (0..2).for_each(|number| post(&mut smtp, number));
    // Exim tidies up after a message once it has replied.
    assert_eq!(smtp.command("NOOP").code, 250);
    let server = only_child(exim.pid());
    let before = holdings(server);
    assert_eq!(before.zombies, 0);
    (2..202).for_each(|number| post(&mut smtp, number));
    assert_eq!(smtp.command("NOOP").code, 250);
    assert_eq!(holdings(server), before);
    smtp.quit();
    let refused = exim.log("main").matches("mm-query: team: refused").count();
    assert_eq!(refused, 101);
}
