//! Work shared out to many threads and taken in again in its order, with a bounded number of items on the way.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
};

/// Hands the items of a source to the workers.
pub struct WorkQueue<S> {
    state: Mutex<QueueState<S>>,
    progressed: Condvar,
    /// Most items that may have been handed out and not yet been taken in.
    window: u64,
}

struct QueueState<S> {
    source: S,
    n_dispatched: u64,
    n_delivered: u64,
    is_over: bool,
}

impl<S: Iterator> WorkQueue<S> {
    fn new(source: S, window: NonZeroUsize) -> Self {
        let state = QueueState { source, n_dispatched: 0, n_delivered: 0, is_over: false };
        Self { state: Mutex::new(state), progressed: Condvar::new(), window: window.get() as u64 }
    }

    /// A panic of the source poisons the lock; the state is whole all the same, since the counts follow the item.
    fn lock(&self) -> MutexGuard<'_, QueueState<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next item and its place in the order; `None` at the end. Waits while the window is full: only to be called
    /// by a worker that holds no item.
    pub fn take(&self) -> Option<(u64, S::Item)> {
        let is_full =
            |state: &mut QueueState<S>| !state.is_over && state.n_dispatched - state.n_delivered >= self.window;
        let state = self.progressed.wait_while(self.lock(), is_full).unwrap_or_else(PoisonError::into_inner);
        self.next_of(state)
    }

    /// The next item if it is to be had at once.
    pub fn try_take(&self) -> Option<(u64, S::Item)> {
        let state = self.lock();
        if state.n_dispatched - state.n_delivered >= self.window { None } else { self.next_of(state) }
    }

    fn next_of(&self, mut state: MutexGuard<'_, QueueState<S>>) -> Option<(u64, S::Item)> {
        if state.is_over {
            return None;
        }
        let Some(item) = state.source.next() else {
            state.is_over = true;
            self.progressed.notify_all();
            return None;
        };
        let sequence = state.n_dispatched;
        state.n_dispatched += 1;
        Some((sequence, item))
    }

    fn delivered(&self) {
        self.lock().n_delivered += 1;
        self.progressed.notify_all();
    }

    fn stop(&self) {
        self.lock().is_over = true;
        self.progressed.notify_all();
    }
}

/// Runs `work` on `jobs` threads, each with the queue and a way to hand in results under the sequence number of their
/// items. `deliver` is called on this thread with one result for each item, in the order of `source`. At most `window`
/// items are on the way at any time. Ends early when `deliver` fails.
///
/// # Panics
/// Where `work` does, after the other threads have ended.
pub fn in_order<S, R, E>(
    source: S,
    jobs: NonZeroUsize,
    window: NonZeroUsize,
    work: impl Fn(&WorkQueue<S>, &dyn Fn(u64, R)) + Sync,
    mut deliver: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    S: Iterator + Send,
    R: Send,
{
    let queue = WorkQueue::new(source, window);
    let (results, arrivals) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.get() {
            let (queue, work, results) = (&queue, &work, results.clone());
            scope.spawn(move || {
                // Should one fall, the queue ends for all, or the others would wait for its results without end.
                let _end = CloseOnDrop(queue);
                work(queue, &|sequence, result| {
                    // The other end is gone only when the run has failed, and then nobody asks for the result.
                    let _ = results.send((sequence, result));
                });
            });
        }
        drop(results);
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (sequence, result) in arrivals {
            early.insert(sequence, result);
            while let Some(result) = early.remove(&next) {
                next += 1;
                if let Err(error) = deliver(result) {
                    queue.stop();
                    return Err(error);
                }
                queue.delivered();
            }
        }
        Ok(())
    })
}

/// Ends the queue where it goes out of scope.
struct CloseOnDrop<'a, S: Iterator>(&'a WorkQueue<S>);

impl<S: Iterator> Drop for CloseOnDrop<'_, S> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn some(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).expect("the tests ask for some")
    }

    #[test]
    fn results_come_in_order_and_never_more_than_the_window_is_on_the_way() {
        let (n_items, window) = (500u64, 7);
        let (n_dispatched, n_taken_in) = (AtomicU64::new(0), AtomicU64::new(0));
        let source = (0..n_items).inspect(|_| {
            let on_the_way = n_dispatched.fetch_add(1, Ordering::SeqCst) - n_taken_in.load(Ordering::SeqCst);
            assert!(on_the_way < window as u64, "{on_the_way} on the way");
        });
        let mut got = Vec::new();
        let work = |queue: &WorkQueue<_>, hand_in: &dyn Fn(u64, u64)| {
            while let Some(first) = queue.take() {
                let mut chunk = vec![first];
                while chunk.len() < 3 {
                    let Some(more) = queue.try_take() else { break };
                    chunk.push(more);
                }
                for (sequence, item) in chunk.into_iter().rev() {
                    hand_in(sequence, item * 2);
                }
            }
        };
        let deliver = |result| {
            got.push(result);
            n_taken_in.fetch_add(1, Ordering::SeqCst);
            Ok::<_, ()>(())
        };
        in_order(source, some(4), some(window), work, deliver).expect("nothing fails");
        assert_eq!(got, (0..n_items).map(|i| i * 2).collect::<Vec<_>>());
    }

    #[test]
    fn a_failing_end_stops_the_work() {
        let work = |queue: &WorkQueue<std::ops::RangeFrom<u64>>, hand_in: &dyn Fn(u64, u64)| {
            while let Some((sequence, item)) = queue.take() {
                hand_in(sequence, item);
            }
        };
        let deliver = |item| if item == 20 { Err("disk full") } else { Ok(()) };
        assert_eq!(in_order(0.., some(3), some(8), work, deliver), Err("disk full"));
    }
}
