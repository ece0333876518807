//! Shares work among threads and delivers the results in the order of the input.
//!
//! Work comes in groups (files) of items (pages). A worker opens a group without holding the lock, so that a group that is
//! slow to open delays nobody else; then all workers share its items.

use std::{
    collections::BTreeMap,
    io,
    num::NonZeroUsize,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread, vec,
};

/// Where the groups of items come from.
pub trait Source: Sync {
    type Item: Send;

    fn n_groups(&self) -> usize;

    /// Opens a group and lists its items, at least one. This may be slow: it is called without a lock, in any order.
    fn open(&self, group: usize) -> Vec<Self::Item>;

    /// Whether no further group is to be opened, and no item handed out except the last one of a group.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// The place of an item in the order of the input.
#[derive(Debug, Clone, Copy)]
pub struct Ticket {
    group: usize,
    /// Position in the group, from 0.
    position: usize,
    is_last_of_group: bool,
}

/// Hands items to the workers.
pub struct WorkQueue<'a, S: Source> {
    source: &'a S,
    state: Mutex<QueueState<S::Item>>,
    /// Signalled when an item is delivered, a group is opened, or the queue is closed.
    progressed: Condvar,
    /// Maximum number of items handed out and not yet delivered, for the group that is delivered next and again for all
    /// later groups together.
    window: usize,
}

struct QueueState<T> {
    /// The first group that no worker has started to open.
    next_group: usize,
    n_opening: usize,
    /// Open groups that have items left.
    open: BTreeMap<usize, OpenGroup<T>>,
    /// The group whose items are delivered next.
    delivery_group: usize,
    /// Items of that group that are handed out and not delivered.
    n_current: usize,
    /// Items of later groups, per group.
    ahead: BTreeMap<usize, usize>,
    n_ahead: usize,
    is_closed: bool,
}

struct OpenGroup<T> {
    items: vec::IntoIter<T>,
    n_dispatched: usize,
}

impl<T> QueueState<T> {
    fn n_in_flight(&self, group: usize) -> usize {
        if group == self.delivery_group { self.n_current } else { self.n_ahead }
    }

    fn note_dispatched(&mut self, group: usize) {
        if group == self.delivery_group {
            self.n_current += 1;
        } else {
            *self.ahead.entry(group).or_default() += 1;
            self.n_ahead += 1;
        }
    }

    fn note_delivered(&mut self, ticket: Ticket) {
        self.n_current -= 1;
        if ticket.is_last_of_group {
            self.delivery_group += 1;
            self.n_current = self.ahead.remove(&self.delivery_group).unwrap_or(0);
            self.n_ahead -= self.n_current;
        }
    }
}

/// What a worker can do next.
enum Step<T> {
    Work(Ticket, T),
    Open(usize),
    Wait,
    End,
}

impl<'a, S: Source> WorkQueue<'a, S> {
    fn new(source: &'a S, window: NonZeroUsize) -> Self {
        let state = QueueState {
            next_group: 0,
            n_opening: 0,
            open: BTreeMap::new(),
            delivery_group: 0,
            n_current: 0,
            ahead: BTreeMap::new(),
            n_ahead: 0,
            is_closed: false,
        };
        Self { source, state: Mutex::new(state), progressed: Condvar::new(), window: window.get() }
    }

    /// The state is consistent even after a panic, since no user code runs while the lock is held.
    fn lock(&self) -> MutexGuard<'_, QueueState<S::Item>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next item and its ticket; `None` at the end. Waits while the window is full, so only a worker that holds no
    /// item may call it.
    pub fn take(&self) -> Option<(Ticket, S::Item)> {
        let mut state = self.lock();
        loop {
            match self.next_step(&mut state) {
                Step::Work(ticket, item) => return Some((ticket, item)),
                Step::Open(group) => state = self.open(group, state),
                Step::Wait => state = self.progressed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Step::End => return None,
            }
        }
    }

    /// The next item if none of the other workers has to do something first.
    pub fn try_take(&self) -> Option<(Ticket, S::Item)> {
        let mut state = self.lock();
        loop {
            match self.next_step(&mut state) {
                Step::Work(ticket, item) => return Some((ticket, item)),
                Step::Open(group) => state = self.open(group, state),
                Step::Wait | Step::End => return None,
            }
        }
    }

    fn next_step(&self, state: &mut QueueState<S::Item>) -> Step<S::Item> {
        if state.is_closed {
            return Step::End;
        }
        let has_room = |group: usize| state.n_in_flight(group) < self.window;
        if let Some(group) = state.open.keys().copied().find(|&group| has_room(group)) {
            return self.dispatch(state, group);
        }
        if state.open.is_empty() && state.next_group < self.source.n_groups() {
            if self.source.is_stopped() {
                return self.close(state);
            }
            if has_room(state.next_group) {
                let group = state.next_group;
                state.next_group += 1;
                state.n_opening += 1;
                return Step::Open(group);
            }
            return Step::Wait;
        }
        if state.open.is_empty() && state.n_opening == 0 { self.close(state) } else { Step::Wait }
    }

    fn dispatch(&self, state: &mut QueueState<S::Item>, group: usize) -> Step<S::Item> {
        let Some(open) = state.open.get_mut(&group) else { return Step::Wait };
        let is_last_of_group = open.items.len() == 1;
        if !is_last_of_group && self.source.is_stopped() {
            return self.close(state);
        }
        let Some(item) = open.items.next() else { return self.close(state) };
        let ticket = Ticket { group, position: open.n_dispatched, is_last_of_group };
        open.n_dispatched += 1;
        if is_last_of_group {
            state.open.remove(&group);
        }
        state.note_dispatched(group);
        Step::Work(ticket, item)
    }

    fn close(&self, state: &mut QueueState<S::Item>) -> Step<S::Item> {
        state.is_closed = true;
        self.progressed.notify_all();
        Step::End
    }

    /// Opens a group while the lock is released.
    fn open<'s>(
        &'s self,
        group: usize,
        state: MutexGuard<'s, QueueState<S::Item>>,
    ) -> MutexGuard<'s, QueueState<S::Item>> {
        drop(state);
        let items = self.source.open(group).into_iter();
        let mut state = self.lock();
        state.n_opening -= 1;
        state.open.insert(group, OpenGroup { items, n_dispatched: 0 });
        self.progressed.notify_all();
        state
    }

    fn note_delivered(&self, ticket: Ticket) {
        self.lock().note_delivered(ticket);
        self.progressed.notify_all();
    }

    fn stop(&self) {
        self.close(&mut self.lock());
    }
}

/// Runs `work` on `jobs` threads, each with the queue and a function that takes the result of an item under its ticket.
/// `deliver` is called on this thread with one result per item, in the order of `source`. The number of items on the way
/// is at most twice `window`. Ends early when `deliver` fails or the source stops. Where the system has no room for so many
/// threads, there are fewer.
///
/// # Errors
/// Those of `deliver`; where no thread can be started.
///
/// # Panics
/// Where `work` does, after the other threads have ended.
pub fn in_order<S, R, E>(
    source: &S,
    jobs: NonZeroUsize,
    window: NonZeroUsize,
    work: impl Fn(&WorkQueue<'_, S>, &dyn Fn(Ticket, R)) + Sync,
    mut deliver: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    S: Source,
    R: Send,
    E: From<io::Error>,
{
    let queue = WorkQueue::new(source, window);
    let (results, arrivals) = mpsc::channel();
    thread::scope(|scope| {
        for n_started in 0..jobs.get() {
            let (queue, work, results) = (&queue, &work, results.clone());
            let started = thread::Builder::new().spawn_scoped(scope, move || {
                // If one worker panics, the queue closes for all: the others would wait for its results for ever.
                let _close = CloseOnDrop(queue);
                work(queue, &|ticket, result| {
                    // The receiver is gone only when the run has failed, and then nobody needs the result.
                    let _ = results.send((ticket, result));
                });
            });
            match started {
                Ok(_) => {}
                Err(error) if n_started == 0 => return Err(error.into()),
                // the system has no room for more: those that are there do the work
                Err(_) => break,
            }
        }
        drop(results);
        let mut early = BTreeMap::new();
        let mut next = (0, 0);
        for (ticket, result) in arrivals {
            early.insert((ticket.group, ticket.position), (ticket, result));
            while let Some((ticket, result)) = early.remove(&next) {
                next = if ticket.is_last_of_group { (next.0 + 1, 0) } else { (next.0, next.1 + 1) };
                if let Err(error) = deliver(result) {
                    queue.stop();
                    return Err(error);
                }
                queue.note_delivered(ticket);
            }
        }
        Ok(())
    })
}

/// Closes the queue when a worker ends, by a panic or because there is no more work.
struct CloseOnDrop<'a, 'q, S: Source>(&'a WorkQueue<'q, S>);

impl<S: Source> Drop for CloseOnDrop<'_, '_, S> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, channel},
    };

    use super::*;

    fn some(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).expect("the tests use positive numbers")
    }

    /// Groups of these sizes, whose items are numbered through.
    struct Numbers {
        sizes: Vec<usize>,
    }

    impl Source for Numbers {
        type Item = usize;

        fn n_groups(&self) -> usize {
            self.sizes.len()
        }

        fn open(&self, group: usize) -> Vec<usize> {
            let start: usize = self.sizes[..group].iter().sum();
            (start..start + self.sizes[group]).collect()
        }
    }

    #[test]
    fn results_arrive_in_order_and_within_the_window() {
        let source = Numbers { sizes: [3, 1, 40, 2].into_iter().cycle().take(60).collect() };
        let n_items: usize = source.sizes.iter().sum();
        let window = 7;
        let (n_taken, n_delivered) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let count = |(ticket, item)| {
            let in_flight = n_taken.fetch_add(1, Ordering::SeqCst).saturating_sub(n_delivered.load(Ordering::SeqCst));
            assert!(in_flight <= 2 * window, "{in_flight} in flight");
            (ticket, item)
        };
        let mut got = Vec::new();
        let work = |queue: &WorkQueue<'_, Numbers>, hand_in: &dyn Fn(Ticket, usize)| {
            while let Some(first) = queue.take() {
                let mut chunk = vec![count(first)];
                while chunk.len() < 3 {
                    let Some(more) = queue.try_take() else { break };
                    chunk.push(count(more));
                }
                for (ticket, item) in chunk.into_iter().rev() {
                    hand_in(ticket, item * 2);
                }
            }
        };
        let deliver = |result| {
            got.push(result);
            n_delivered.fetch_add(1, Ordering::SeqCst);
            Ok::<_, io::Error>(())
        };
        in_order(&source, some(4), some(window), work, deliver).expect("nothing fails");
        assert_eq!(got, (0..n_items).map(|i| i * 2).collect::<Vec<_>>());
    }

    #[test]
    fn failing_delivery_stops_the_work() {
        let source = Numbers { sizes: vec![1; 1_000_000] };
        let work = |queue: &WorkQueue<'_, Numbers>, hand_in: &dyn Fn(Ticket, usize)| {
            while let Some((ticket, item)) = queue.take() {
                hand_in(ticket, item);
            }
        };
        let deliver = |item| if item == 20 { Err(io::Error::other("disk full")) } else { Ok(()) };
        let error = in_order(&source, some(3), some(8), work, deliver).expect_err("the disk is full");
        assert_eq!(error.to_string(), "disk full");
    }

    /// One group that cannot be opened before the others have been worked on.
    struct SlowGroup {
        slow: usize,
        /// Receives when the group may open.
        may_open: Mutex<Receiver<()>>,
    }

    impl Source for SlowGroup {
        type Item = usize;

        fn n_groups(&self) -> usize {
            50
        }

        fn open(&self, group: usize) -> Vec<usize> {
            if group == self.slow {
                self.may_open.lock().expect("no worker panics").recv().expect("the sender lives as long");
            }
            vec![group]
        }
    }

    #[test]
    fn group_that_is_slow_to_open_delays_no_other_group() {
        for slow in [0, 7] {
            let (allow, may_open) = channel();
            let source = SlowGroup { slow, may_open: Mutex::new(may_open) };
            let n_done = AtomicUsize::new(0);
            let work = |queue: &WorkQueue<'_, SlowGroup>, hand_in: &dyn Fn(Ticket, usize)| {
                while let Some((ticket, item)) = queue.take() {
                    // Only when all the other groups are done may the slow one open: the test ends only if they go on.
                    if n_done.fetch_add(1, Ordering::SeqCst) + 2 == 50 {
                        allow.send(()).expect("the slow group waits for it");
                    }
                    hand_in(ticket, item);
                }
            };
            let mut got = Vec::new();
            let deliver = |item| {
                got.push(item);
                Ok::<_, io::Error>(())
            };
            in_order(&source, some(2), some(64), work, deliver).expect("nothing fails");
            assert_eq!(got, (0..50).collect::<Vec<_>>(), "the order is that of the input");
        }
    }

    #[test]
    fn group_opened_while_the_window_is_full_is_still_read() {
        let (allow, may_open) = channel();
        let source = SlowGroup { slow: 0, may_open: Mutex::new(may_open) };
        let n_done = AtomicUsize::new(0);
        let work = |queue: &WorkQueue<'_, SlowGroup>, hand_in: &dyn Fn(Ticket, usize)| {
            while let Some((ticket, item)) = queue.take() {
                // The window of 4 is full of later groups when the slow one opens.
                if n_done.fetch_add(1, Ordering::SeqCst) + 1 == 4 {
                    allow.send(()).expect("the slow group waits for it");
                }
                hand_in(ticket, item);
            }
        };
        let mut n_delivered = 0;
        let deliver = |_| {
            n_delivered += 1;
            Ok::<_, io::Error>(())
        };
        in_order(&source, some(3), some(4), work, deliver).expect("nothing fails");
        assert_eq!(n_delivered, 50);
    }
}
