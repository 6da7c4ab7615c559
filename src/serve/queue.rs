//! Questions that take longer, and the threads that answer them.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex};

/// A question that waits.
pub trait Task {
    /// What only one thread may be reading at a time.
    fn key(&self) -> Option<&[u8]>;
}

/// The questions, in the order in which they came. While one thread reads a list, others do not
/// wait for it: they take questions about other lists.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    most: usize,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    taken: HashSet<Vec<u8>>,
    closed: bool,
}

impl<T: Task> Queue<T> {
    /// For at most so many.
    pub fn new(most: usize) -> Queue<T> {
        let state = State { waiting: VecDeque::new(), taken: HashSet::new(), closed: false };
        Queue { state: Mutex::new(state), changed: Condvar::new(), most }
    }

    /// Puts a question at the end; it comes back if there is no room.
    pub fn push(&self, task: T) -> Result<(), T> {
        let Ok(mut state) = self.state.lock() else { return Err(task) };
        if state.closed || state.waiting.len() >= self.most {
            return Err(task);
        }
        state.waiting.push_back(task);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for a question whose list nobody else reads; nothing once the queue is closed.
    pub fn take(&self) -> Option<T> {
        let mut state = self.state.lock().ok()?;
        loop {
            let free = state.waiting.iter().position(|task| match task.key() {
                Some(key) => !state.taken.contains(key),
                None => true,
            });
            if let Some(task) = free.and_then(|at| state.waiting.remove(at)) {
                if let Some(key) = task.key() {
                    state.taken.insert(key.to_vec());
                }
                return Some(task);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).ok()?;
        }
    }

    /// What was taken with this key is at hand now, or done.
    pub fn release(&self, key: Option<&[u8]>) {
        let Some(key) = key else { return };
        if let Ok(mut state) = self.state.lock() {
            state.taken.remove(key);
        }
        self.changed.notify_all();
    }

    /// No more questions come.
    pub fn close(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.closed = true;
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct About(&'static str);

    impl Task for About {
        fn key(&self) -> Option<&[u8]> {
            (!self.0.is_empty()).then_some(self.0.as_bytes())
        }
    }

    #[test]
    fn one_list_is_read_by_one_thread_while_others_are_answered() {
        let queue = Queue::new(4);
        for list in ["big", "big", "small", ""] {
            assert!(queue.push(About(list)).is_ok());
        }
        assert!(queue.push(About("more")).is_err());
        assert_eq!(queue.take().unwrap().0, "big");
        assert_eq!(queue.take().unwrap().0, "small");
        assert_eq!(queue.take().unwrap().0, "");
        queue.release(Some(b"big"));
        assert_eq!(queue.take().unwrap().0, "big");
        queue.close();
        assert!(queue.take().is_none());
        assert!(queue.push(About("late")).is_err());
    }
}
