//! A thread that takes connections, reads requests, and answers what can be answered at once.
//!
//! Nothing here waits for a client or a disk: sockets do not block, and what takes longer goes to
//! the [`super::queue`].

use super::connections::{Connections, State, Token};
use super::log::Level;
use super::reply::Reply;
use super::request::{self, Request};
use super::service::Handled;
use super::workers::{Job, Mailbox, Shared};
use crate::exit::Status;
use crate::limits;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{SendFlags, Shutdown, SocketFlags};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Connections that are taken before others are looked at again.
const TURN: usize = 64;

/// Bytes that are read at a time.
const CHUNK: usize = 64 << 10;

/// How long the rest of a request is looked for at once. Most clients have written it before the
/// kernel has told us of them, or do so right then: sleeping until then takes longer.
const GLANCE: Duration = Duration::from_micros(30);

/// A thread shows that it lives at least so often.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// How long no connection is taken when there are no descriptors left.
const PAUSE: Duration = Duration::from_millis(50);

/// Event numbers from here on are not connections: listeners, and the mailbox.
const LISTENER: u64 = 1 << 63;
const MAILBOX: u64 = u64::MAX;

/// One thread's work.
#[derive(Debug)]
pub struct Poll {
    shared: Arc<Shared>,
    epoll: OwnedFd,
    mailbox: Arc<Mailbox>,
    connections: Connections,
    /// Counts turns, for whoever watches.
    beats: Arc<AtomicU64>,
    listening: bool,
    paused: Option<Instant>,
    buffer: Vec<u8>,
}

impl Poll {
    /// Ready to listen.
    ///
    /// # Errors
    /// The kernel has no descriptors for it.
    pub fn new(shared: Arc<Shared>) -> Result<Poll, Errno> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mailbox = Arc::new(Mailbox::new()?);
        epoll::add(&epoll, &*mailbox, data(MAILBOX), epoll::EventFlags::IN)?;
        let mut poll = Poll {
            shared,
            epoll,
            mailbox,
            connections: Connections::default(),
            beats: Arc::default(),
            listening: false,
            paused: None,
            buffer: vec![0; CHUNK],
        };
        poll.listen(true)?;
        Ok(poll)
    }

    /// Wakes the thread.
    pub fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Rises while the thread lives.
    pub fn beats(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.beats)
    }

    fn listen(&mut self, wanted: bool) -> Result<(), Errno> {
        if wanted == self.listening {
            return Ok(());
        }
        for (listener, number) in self.shared.listeners.iter().zip(LISTENER..) {
            match wanted {
                true => {
                    let flags = epoll::EventFlags::IN | epoll::EventFlags::EXCLUSIVE;
                    epoll::add(&self.epoll, listener, data(number), flags)?;
                }
                false => epoll::delete(&self.epoll, listener)?,
            }
        }
        self.listening = wanted;
        Ok(())
    }

    /// Works until the daemon is to end and every connection has its answer.
    pub fn run(mut self) {
        let mut events = Vec::with_capacity(256);
        let mut end: Option<Instant> = None;
        loop {
            self.beats.fetch_add(1, Relaxed);
            if end.is_none() && self.shared.stopping.load(Relaxed) {
                self.stop();
                end = Some(Instant::now() + limits::DRAIN_TIME);
            }
            if end.is_some_and(|end| self.connections.is_empty() || Instant::now() >= end) {
                return;
            }
            events.clear();
            let timeout = self.timeout();
            let buffer = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.epoll, buffer, Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    self.shared.service.log.line(Level::Error, format!("epoll: {error}"));
                    return;
                }
            }
            for event in &events {
                let event: &epoll::Event = event;
                match event.data.u64() {
                    MAILBOX => self.deliver(),
                    number if number >= LISTENER => {
                        self.accept((number - LISTENER) as usize);
                    }
                    number => self.readable(Token::of(number)),
                }
            }
            self.look_at_the_clock();
        }
    }

    /// The connections that wait are taken still; then there are no new ones.
    fn stop(&mut self) {
        let _ = self.listen(false);
        for index in 0..self.shared.listeners.len() {
            let ours = self.shared.listeners.get(index).is_some_and(|l| !l.is_inherited);
            if ours {
                while self.accept(index) {}
            }
        }
    }

    fn timeout(&self) -> Timespec {
        let now = Instant::now();
        let mut rest = HEARTBEAT;
        for due in [self.connections.next_deadline(), self.paused].into_iter().flatten() {
            rest = rest.min(due.saturating_duration_since(now) + Duration::from_millis(1));
        }
        Timespec { tv_sec: 0, tv_nsec: rest.subsec_nanos().into() }
    }

    /// Takes connections. Says whether there may be more.
    fn accept(&mut self, index: usize) -> bool {
        let shared = Arc::clone(&self.shared);
        let Some(listener) = shared.listeners.get(index) else { return false };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        for _ in 0..TURN {
            match rustix::net::accept_with(listener, flags) {
                Ok(socket) => {
                    shared.service.counters.connections.fetch_add(1, Relaxed);
                    if listener.is_unix && !self.is_allowed(&socket) {
                        self.refuse(socket);
                    } else {
                        self.begin(socket);
                    }
                }
                Err(Errno::AGAIN) => return false,
                Err(Errno::INTR | Errno::CONNABORTED | Errno::PROTO) => {}
                Err(error) => {
                    // No descriptors or no memory: whoever idles makes room.
                    shared.service.log.line(Level::Warning, format!("accept: {error}"));
                    if !self.drop_idlest() {
                        let _ = self.listen(false);
                        self.paused = Some(Instant::now() + PAUSE);
                    }
                    return false;
                }
            }
        }
        true
    }

    fn is_allowed(&self, socket: &OwnedFd) -> bool {
        if self.shared.allowed.everybody() {
            return true;
        }
        rustix::net::sockopt::socket_peercred(socket)
            .is_ok_and(|peer| self.shared.allowed.allows(peer.uid.as_raw(), peer.gid.as_raw()))
    }

    fn refuse(&mut self, socket: OwnedFd) {
        let service = &self.shared.service;
        service.counters.strangers.fetch_add(1, Relaxed);
        service.log.line(Level::Warning, "a client that may not ask");
        let reply = Reply::error(Status::NotAllowed, "you may not ask here");
        self.end_early(socket, Instant::now(), &reply);
    }

    /// A new connection: mostly its request is there already.
    fn begin(&mut self, socket: OwnedFd) {
        let since = Instant::now();
        let mut length = 0usize;
        while let Some(room) = self.buffer.get_mut(length..).filter(|room| !room.is_empty()) {
            match rustix::io::read(&socket, room) {
                Ok(0) => return self.complete_new(socket, since, length),
                Ok(count) => {
                    let from = length;
                    length = length.saturating_add(count);
                    let bytes = self.buffer.get(..length).unwrap_or_default();
                    if let Some(end) = request::end(bytes, from) {
                        return self.complete_new(socket, since, end);
                    }
                }
                Err(Errno::AGAIN) if since.elapsed() < GLANCE => std::hint::spin_loop(),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
        self.make_room();
        let bytes = self.buffer.get(..length).unwrap_or_default().to_vec();
        let deadline = since + limits::REQUEST_TIME;
        self.watch(socket, since, State::Reading(bytes), deadline);
    }

    /// A new connection with all of its request, which lies in the buffer.
    fn complete_new(&mut self, socket: OwnedFd, since: Instant, length: usize) {
        if length == 0 {
            return;
        }
        let bytes = self.buffer.get(..length).unwrap_or_default();
        match self.shared.service.handle(bytes) {
            Handled::Answered(reply) => self.send(&socket, since, &reply),
            Handled::Later(request) => {
                self.make_room();
                let deadline = Instant::now() + limits::ANSWER_TIME;
                let token = self.watch(socket, since, State::Waiting, deadline);
                if let Some(token) = token {
                    self.enqueue(request, token);
                }
            }
        }
    }

    fn watch(
        &mut self,
        socket: OwnedFd,
        since: Instant,
        state: State,
        deadline: Instant,
    ) -> Option<Token> {
        let waits = matches!(state, State::Waiting);
        let token = self.connections.insert(socket, since, state, deadline);
        let connection = self.connections.get(token)?;
        // While an answer is worked at, the client's bytes and even its end mean nothing.
        if !waits {
            let (number, flags) = (data(token.number()), epoll::EventFlags::IN);
            if epoll::add(&self.epoll, &connection.socket, number, flags).is_err() {
                self.connections.remove(token);
                return None;
            }
        }
        Some(token)
    }

    fn enqueue(&mut self, request: Request, token: Token) {
        let mailbox = Arc::clone(&self.mailbox);
        if let Err(job) = self.shared.queue.push(Job { request, mailbox, token }) {
            job.done(Reply::error(Status::TryAgain, "too many questions at once"));
        }
    }

    /// More of a request, or the end of a connection.
    fn readable(&mut self, token: Token) {
        let Some(connection) = self.connections.get(token) else { return };
        let read = rustix::io::read(&connection.socket, self.buffer.as_mut_slice());
        let (count, ended) = match read {
            Ok(count) => (count, count == 0),
            Err(Errno::AGAIN | Errno::INTR) => return,
            Err(_) => {
                // Also of one that waits for its answer: nobody is there to get it.
                self.connections.remove(token);
                return;
            }
        };
        match &mut connection.state {
            State::Lingering(left) => {
                *left = left.saturating_sub(count);
                if ended || *left == 0 {
                    self.connections.remove(token);
                }
            }
            State::Waiting => {}
            State::Reading(bytes) => {
                let from = bytes.len();
                bytes.extend_from_slice(self.buffer.get(..count).unwrap_or_default());
                let end = if ended { Some(bytes.len()) } else { request::end(bytes, from) };
                match end {
                    Some(end) => {
                        bytes.truncate(end);
                        let bytes = std::mem::take(bytes);
                        self.complete(token, &bytes);
                    }
                    None if bytes.len() > limits::REQUEST_BYTES => {
                        self.give_up(token, Status::Usage, "the request is too long");
                    }
                    None => {}
                }
            }
        }
    }

    fn complete(&mut self, token: Token, bytes: &[u8]) {
        if bytes.is_empty() {
            self.connections.remove(token);
            return;
        }
        match self.shared.service.handle(bytes) {
            Handled::Answered(reply) => self.finish(token, &reply),
            Handled::Later(request) => {
                let deadline = Instant::now() + limits::ANSWER_TIME;
                self.connections.change(token, State::Waiting, deadline);
                if let Some(connection) = self.connections.get(token) {
                    let _ = epoll::delete(&self.epoll, &connection.socket);
                }
                self.enqueue(request, token);
            }
        }
    }

    /// Answers that workers have found.
    fn deliver(&mut self) {
        for (token, reply) in self.mailbox.take() {
            self.finish(token, &reply);
        }
    }

    fn finish(&mut self, token: Token, reply: &Reply) {
        if let Some(connection) = self.connections.remove(token) {
            self.send(&connection.socket, connection.since, reply);
        }
    }

    /// Sends the answer. A client that has no room for it does not want it.
    fn send(&self, socket: &OwnedFd, since: Instant, reply: &Reply) {
        let service = &self.shared.service;
        let _ = rustix::net::send(socket, &reply.bytes(), SendFlags::NOSIGNAL);
        service.counters.answered(reply.word, since.elapsed());
        if let Some(refusal) = &reply.refusal {
            service.log.line(Level::Info, format!("refused: {refusal}"));
        }
    }

    /// Answers a connection whose request was not read to its end. Were it closed now, the kernel
    /// would take the answer back from the client.
    fn end_early(&mut self, socket: OwnedFd, since: Instant, reply: &Reply) {
        self.send(&socket, since, reply);
        let _ = rustix::net::shutdown(&socket, Shutdown::Write);
        self.make_room();
        let deadline = Instant::now() + limits::LINGER_TIME;
        self.watch(socket, since, State::Lingering(limits::REQUEST_BYTES), deadline);
    }

    fn give_up(&mut self, token: Token, status: Status, why: &str) {
        let Some(connection) = self.connections.remove(token) else { return };
        let _ = epoll::delete(&self.epoll, &connection.socket);
        self.end_early(connection.socket, connection.since, &Reply::error(status, why));
    }

    /// Makes room for one more connection.
    fn make_room(&mut self) {
        while self.connections.len() >= self.shared.connections && self.drop_idlest() {}
    }

    /// Drops the connection that idles longest, with an answer that it may still read.
    fn drop_idlest(&mut self) -> bool {
        let Some(token) = self.connections.idlest() else { return false };
        self.shared.service.counters.dropped.fetch_add(1, Relaxed);
        let Some(connection) = self.connections.remove(token) else { return false };
        if !matches!(connection.state, State::Lingering(_)) {
            let reply = Reply::error(Status::TryAgain, "too many connections");
            self.send(&connection.socket, connection.since, &reply);
        }
        true
    }

    fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        if self.paused.is_some_and(|until| until <= now) {
            self.paused = None;
            let _ = self.listen(true);
        }
        while let Some(token) = self.connections.late(now) {
            let counters = &self.shared.service.counters;
            match self.connections.get(token).map(|connection| &connection.state) {
                Some(State::Reading(_)) => {
                    counters.late.fetch_add(1, Relaxed);
                    self.give_up(token, Status::TryAgain, "the request took too long");
                }
                Some(State::Waiting) => {
                    counters.unanswered.fetch_add(1, Relaxed);
                    let reply = Reply::error(Status::TryAgain, "no answer in time");
                    self.finish(token, &reply);
                }
                Some(State::Lingering(_)) | None => drop(self.connections.remove(token)),
            }
        }
    }
}

fn data(number: u64) -> epoll::EventData {
    epoll::EventData::new_u64(number)
}
