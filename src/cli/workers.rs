//! The same work on many lists, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many at a time. They wait for disks and for locks rather than compute.
const WORKERS: usize = 8;

/// What `work` makes of each item, in the order of the items. One alone is done right here.
pub(super) fn all<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = numbers.map_while(|n| items.get(n).map(|item| (n, work(item))));
        mine.collect::<Vec<(usize, R)>>()
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS.min(items.len())).map(|_| scope.spawn(worker)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        // A panic of a worker is one of the program.
        joined
            .flat_map(|made| made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Condvar, Mutex};

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(all(&items, |n| n * 2), items.iter().map(|n| n * 2).collect::<Vec<_>>());
        assert_eq!(all(&[] as &[usize], |n| n * 2), Vec::<usize>::new());
    }

    #[test]
    fn one_that_waits_holds_up_no_other() {
        let (left, changed) = (Mutex::new(20), Condvar::new());
        let done = all(&[true, false].repeat(10), |first| {
            let mut left = left.lock().unwrap();
            *left -= 1;
            changed.notify_all();
            if *first && *left >= 19 {
                // The first of all waits for the last of all.
                drop(changed.wait_while(left, |left| *left > 0).unwrap());
            }
            1
        });
        assert_eq!(done.iter().sum::<i32>(), 20);
    }
}
