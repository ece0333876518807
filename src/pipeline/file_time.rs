//! The time that the pages of a file take.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use super::catch_panic::catch_panic;
use formread_page::{Deadline, Limits};
use formread_raster::error::{Error, ErrorKind, Result};

/// Pages of a file that may be over the limit of time before the rest is not read: somebody may have built the file to be slow.
const MAX_TIMED_OUT_PAGES: u32 = 3;

/// What the pages of a file have taken, on all workers together.
#[derive(Debug, Default)]
pub struct FileTime {
    spent_ms: AtomicU64,
    n_timed_out: AtomicU32,
}

/// What a page has taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageTime {
    spent: Duration,
}

impl FileTime {
    /// Does `work` on a `page` of the file, with the time that is left for it. A panic is an error.
    ///
    /// # Errors
    /// `TimedOut` where no time is left, for this page or for the file; those of `work`.
    pub fn spend<T>(
        &self,
        page: &mut PageTime,
        limits: &Limits,
        work: impl FnOnce(&Deadline) -> Result<T>,
    ) -> Result<T> {
        let n_timed_out = self.n_timed_out.load(Relaxed);
        if n_timed_out >= MAX_TIMED_OUT_PAGES {
            return Err(Error::timed_out(format!("not read: {n_timed_out} pages of this file took too long")));
        }
        let left = |limit_s: u32, spent| Duration::from_secs(limit_s.into()).saturating_sub(spent);
        let of_file = left(limits.file_seconds, Duration::from_millis(self.spent_ms.load(Relaxed)));
        let deadline = limits.deadline(left(limits.page_seconds, page.spent), of_file);
        let start = Instant::now();
        let done = catch_panic(|| work(&deadline));
        let spent = start.elapsed();
        page.spent += spent;
        self.spent_ms.fetch_add(u64::try_from(spent.as_millis()).unwrap_or(u64::MAX), Relaxed);
        if done.as_ref().is_err_and(|error| matches!(error.kind(), ErrorKind::TimedOut(_))) {
            self.n_timed_out.fetch_add(1, Relaxed);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_without_time_or_with_many_slow_pages_is_read_no_further() {
        let limits = Limits::default();
        let (time, mut n_tried) = (FileTime::default(), 0);
        for _ in 0..10 {
            let slow = time.spend(&mut PageTime::default(), &limits, |deadline| {
                n_tried += 1;
                Err::<(), _>(deadline.error())
            });
            assert!(matches!(slow.expect_err("it is slow").kind(), ErrorKind::TimedOut(_)));
        }
        assert_eq!(n_tried, MAX_TIMED_OUT_PAGES);

        let limits = Limits { file_seconds: 0, ..limits };
        let error = |limits: &Limits, page: &mut PageTime| {
            FileTime::default().spend(page, limits, Deadline::check).expect_err("there is no time").to_string()
        };
        assert_eq!(error(&limits, &mut PageTime::default()), "over the limit of 0 seconds a file");
        let limits = Limits { page_seconds: 9, file_seconds: 9, ..limits };
        let mut page = PageTime { spent: Duration::from_secs(9) };
        assert_eq!(error(&limits, &mut page), "over the limit of 9 seconds a page");
    }
}
