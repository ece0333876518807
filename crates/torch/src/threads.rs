//! How many threads LibTorch uses for one operation.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

/// The number for all threads; 0: LibTorch chooses.
static N_THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The number that this thread uses; 0: LibTorch chooses.
    static N_THREADS_HERE: Cell<usize> = const { Cell::new(0) };
}

/// Sets how many threads LibTorch uses for one operation, in the whole process. Use one where several threads have a net each,
/// and all cores for training. Call it before the first net is used.
pub fn set_threads(n_threads: usize) {
    N_THREADS.store(n_threads.max(1), Ordering::Relaxed);
    use_set_threads();
}

/// Makes this thread use what was set: OpenMP keeps the number for each thread apart.
pub fn use_set_threads() {
    let n_threads = N_THREADS.load(Ordering::Relaxed);
    if N_THREADS_HERE.replace(n_threads) != n_threads {
        tch::set_num_threads(i32::try_from(n_threads).unwrap_or(i32::MAX));
    }
}
