//! The clients: what they send, what they hear, and what became of it.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use super::verdicts::{LISTS, SENDERS, Verdicts};
use crate::server::{self, Exim};
use crate::smtp::{Smtp, on_the_wire};

/// Between two messages of a client.
const PAUSE: Duration = Duration::from_millis(50);

/// What a message's client heard last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Accepted,
    /// A refusal, now or for good.
    NotAccepted,
    /// The connection ended: either.
    Nothing,
}

/// All messages of some clients.
#[derive(Debug, Default)]
pub(super) struct Sent {
    messages: HashMap<String, Heard>,
    pub(super) refused: u64,
    deferred: u64,
    /// Refused in no matter what state of the list, and accepted: the check failed.
    let_in: u64,
    pub(super) wrong: Vec<String>,
}

impl Sent {
    /// Adds what other clients sent.
    pub(super) fn add(&mut self, other: Sent) {
        self.messages.extend(other.messages);
        self.refused += other.refused;
        self.deferred += other.deferred;
        self.let_in += other.let_in;
        self.wrong.extend(other.wrong);
    }

    /// The number of messages that were accepted.
    pub(super) fn accepted(&self) -> usize {
        self.messages.values().filter(|heard| **heard == Heard::Accepted).count()
    }

    /// Holds the messages that arrived against the answers, once Exim's queue is empty.
    pub(super) fn compare(&self, exim: &Exim) -> String {
        run_queue(exim);
        let arrived = arrived(exim);
        for id in arrived.keys() {
            assert!(self.messages.contains_key(id), "{id} was never sent");
        }
        let (mut twice, mut unknown) = (0, 0);
        for (id, heard) in &self.messages {
            let times = arrived.get(id).copied().unwrap_or(0);
            match heard {
                Heard::Accepted => assert!(times > 0, "{id} was accepted and is lost"),
                Heard::NotAccepted => assert_eq!(times, 0, "{id} was not accepted and arrived"),
                Heard::Nothing => unknown += 1,
            }
            twice += usize::from(times > 1);
        }
        format!("{} arrived, {twice} of them twice; {unknown} connections cut", arrived.len())
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sent { messages, refused, deferred, let_in, .. } = self;
        let accepted = self.accepted();
        write!(f, "{} messages: {accepted} accepted, {refused} refused, ", messages.len())?;
        write!(f, "{deferred} put off; {let_in} accepted that every state refuses")
    }
}

/// Delivers what was put off while a disk was full.
fn run_queue(exim: &Exim) {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let binary = server::exim_binary().unwrap();
        let config = exim.directory().join("exim.conf");
        let run = Command::new(binary).arg("-C").arg(config).arg("-qff").status().unwrap();
        assert!(run.success());
        if exim.queue_is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "still queued: {}", exim.log("panic"));
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// How often each message arrived; all of them unaltered.
fn arrived(exim: &Exim) -> HashMap<String, usize> {
    let mut found: HashMap<String, usize> = HashMap::new();
    let file = File::open(exim.directory().join("mail/all")).unwrap();
    let mut lines = BufReader::new(file).split(b'\n').map(Result::unwrap);
    while let Some(line) = lines.next() {
        let Some(id) = line.strip_prefix(b"Subject: id-") else { continue };
        let id = String::from_utf8(id.to_vec()).unwrap();
        assert_eq!(lines.next().as_deref(), Some(b"".as_slice()), "{id}");
        for expected in body(&id).lines() {
            assert_eq!(lines.next().as_deref(), Some(expected.as_bytes()), "{id} was altered");
        }
        *found.entry(id).or_default() += 1;
    }
    found
}

/// A text that tells its message, and now and then is long.
fn body(id: &str) -> String {
    let number: usize = id.rsplit('-').next().unwrap().parse().unwrap();
    let lines = if number.is_multiple_of(50) { 2_000 } else { 2 };
    (0..lines).map(|line| format!("{line} of {id}\n")).collect()
}

/// One client, until the time is over.
pub(super) fn client(name: &str, port: u16, verdicts: &Verdicts, deadline: Instant) -> Sent {
    let mut sent = Sent::default();
    let mut connection = None;
    let mut number = 0_usize;
    while Instant::now() < deadline {
        std::thread::sleep(PAUSE);
        // A new connection now and then, and whenever the last one has ended.
        let open = match connection.take().filter(|_| !number.is_multiple_of(40)) {
            Some(smtp) => Ok(smtp),
            None => Smtp::try_connect(port),
        };
        let Ok(mut smtp) = open else { continue };
        number += 1;
        let id = format!("{name}-{number}");
        let message = Message::new(number, &id);
        match message.send(&mut smtp) {
            Ok(answer) => {
                sent.note(&message, answer, verdicts);
                connection = Some(smtp);
            }
            Err(_) => drop(sent.messages.insert(id, Heard::Nothing)),
        }
    }
    sent
}

/// One message; what it is depends on its number alone.
struct Message<'a> {
    id: &'a str,
    list: Option<&'static str>,
    sender: &'static str,
    number: usize,
}

impl<'a> Message<'a> {
    fn new(number: usize, id: &'a str) -> Message<'a> {
        let (list, _) = LISTS[number / SENDERS.len() % LISTS.len()];
        let person = number % 7 == 3;
        let sender = SENDERS[number % SENDERS.len()];
        Message { id, list: (!person).then_some(list), sender, number }
    }

    /// Sends it; the code that ended it.
    fn send(&self, smtp: &mut Smtp) -> io::Result<u16> {
        let envelope = if self.number.is_multiple_of(11) { "" } else { self.sender };
        if self.number.is_multiple_of(13) {
            smtp.try_command(format!("MAIL FROM:<{envelope}>\r\n").as_bytes())?;
            smtp.try_command(b"RCPT TO:<strict@lists.example.org>\r\n")?;
            smtp.try_command(b"RSET\r\n")?;
        }
        let reply = smtp.try_command(format!("MAIL FROM:<{envelope}>\r\n").as_bytes())?;
        if reply.code != 250 {
            return Ok(reply.code);
        }
        let recipient = match self.list {
            Some(list) => format!("{list}@lists.example.org"),
            None => "zoe@example.org".to_owned(),
        };
        let mut recipients = vec![(recipient.as_str(), 250)];
        if self.list.is_some() && self.number.is_multiple_of(5) {
            recipients.push(("yan@example.org", 452));
        }
        for (recipient, expected) in recipients {
            let reply = smtp.try_command(format!("RCPT TO:<{recipient}>\r\n").as_bytes())?;
            if reply.code != expected {
                smtp.try_command(b"RSET\r\n")?;
                return Ok(reply.code);
            }
        }
        let reply = smtp.try_command(b"DATA\r\n")?;
        if reply.code != 354 {
            return Ok(reply.code);
        }
        let text = format!("From: {}\nSubject: id-{}\n\n{}", self.sender, self.id, body(self.id));
        Ok(smtp.try_command(&on_the_wire(text.as_bytes()))?.code)
    }
}

impl Sent {
    fn note(&mut self, message: &Message<'_>, code: u16, verdicts: &Verdicts) {
        let heard = if code == 250 { Heard::Accepted } else { Heard::NotAccepted };
        let list = message.list;
        match code {
            250 => {
                let must = |list| verdicts.must_refuse(list, message.sender);
                self.let_in += u64::from(list.is_some_and(must));
            }
            400..500 => self.deferred += 1,
            550 if list.is_some_and(|list| verdicts.may_refuse(list, message.sender)) => {
                self.refused += 1;
            }
            _ => self.wrong.push(format!("{code} to {} of {}", message.id, message.sender)),
        }
        self.messages.insert(message.id.to_owned(), heard);
    }
}

/// Exim's paniclog may speak of full disks, and of nothing else.
pub(super) fn assert_only_full_disks(log: &str) {
    for line in log.lines() {
        let full = ["No space left", "failed to update journal", "space"]
            .iter()
            .any(|words| line.contains(words));
        assert!(full, "Exim's paniclog: {line}");
    }
}
