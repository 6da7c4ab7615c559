//! The threads that answer what takes longer, and the way of their answers back.

use super::allowed::Allowed;
use super::connections::Token;
use super::listen::Listener;
use super::queue::{Queue, Task};
use super::reply::Reply;
use super::request::Request;
use super::service::Service;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// What the threads share beside the service.
#[derive(Debug)]
pub struct Shared {
    /// The service.
    pub service: Service,
    /// Where all of them listen.
    pub listeners: Vec<Listener>,
    /// Questions that take longer.
    pub queue: Queue<Job>,
    /// Who may ask.
    pub allowed: Allowed,
    /// Connections that a thread may have at once.
    pub connections: usize,
    /// The daemon is to end.
    pub stopping: AtomicBool,
}

/// A question for a worker, and where its answer goes.
#[derive(Debug)]
pub struct Job {
    /// The question.
    pub request: Request,
    /// Whose connection it is.
    pub mailbox: Arc<Mailbox>,
    /// Which connection.
    pub token: Token,
}

impl Job {
    /// Hands in the answer.
    pub fn done(self, reply: Reply) {
        self.mailbox.put(self.token, reply);
    }
}

impl Task for Job {
    fn key(&self) -> Option<&[u8]> {
        self.request.list()
    }
}

/// Answers on their way back to a thread's connections.
#[derive(Debug)]
pub struct Mailbox {
    replies: Mutex<Vec<(Token, Reply)>>,
    /// Readable when there are some.
    bell: OwnedFd,
}

impl Mailbox {
    /// An empty one.
    ///
    /// # Errors
    /// The kernel has no descriptors for it.
    pub fn new() -> Result<Mailbox, Errno> {
        let flags = rustix::event::EventfdFlags::NONBLOCK | rustix::event::EventfdFlags::CLOEXEC;
        Ok(Mailbox { replies: Mutex::default(), bell: rustix::event::eventfd(0, flags)? })
    }

    fn put(&self, token: Token, reply: Reply) {
        if let Ok(mut replies) = self.replies.lock() {
            replies.push((token, reply));
        }
        self.ring();
    }

    /// Wakes the thread.
    pub fn ring(&self) {
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    /// Takes them out.
    pub fn take(&self) -> Vec<(Token, Reply)> {
        let mut count = [0u8; 8];
        let _ = rustix::io::read(&self.bell, &mut count);
        self.replies.lock().map(|mut replies| std::mem::take(&mut *replies)).unwrap_or_default()
    }
}

impl AsFd for Mailbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

/// A worker: answers questions that take longer, until there are no more.
pub fn work(shared: &Shared) {
    while let Some(job) = shared.queue.take() {
        let key = job.request.list().map(<[u8]>::to_vec);
        // Other questions about the list wait only until it is read.
        let at_hand = shared.service.is_at_hand(&job.request);
        if at_hand {
            shared.queue.release(key.as_deref());
        }
        let (reply, postponed) = shared.service.answer(&job.request);
        job.done(reply);
        shared.service.keep(&postponed);
        if !at_hand {
            shared.queue.release(key.as_deref());
        }
    }
}
