//! Turns a panic into an error.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind},
};

use formread_page::Deadline;
use formread_raster::{
    error::{Error, ErrorKind, Result},
    with_checkpoints,
};

thread_local! {
    /// Calls of [`catch_panic`] that are running on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where the last panic among them was, as the hook saw it.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work` and turns a panic into an `Internal` error, so that a bug costs one page and not the run.
pub fn catch_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    DEPTH.set(DEPTH.get() + 1);
    // What the work keeps across calls are the reader's templates, which never change, and its recognisers; one that was
    // in use during a panic is not used again.
    let result = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.unwrap_or_else(|panic| {
        let panic = match panic.downcast::<GivenUp>() {
            Ok(given_up) => return Err(given_up.0),
            Err(panic) => panic,
        };
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic");
        let location = LOCATION.take().map_or(String::new(), |location| format!(" at {location}"));
        Err(ErrorKind::Internal(format!("{message}{location}")).into())
    })
}

/// With what work that is given up unwinds: that is no panic, and no hook sees it.
struct GivenUp(Error);

/// Does `work` until `deadline`, within a call of [`catch_panic`], which gets the error of the deadline.
pub fn until<T>(deadline: Deadline, work: impl FnOnce() -> T) -> T {
    let check = move || {
        if let Err(error) = deadline.check() {
            resume_unwind(Box::new(GivenUp(error)));
        }
    };
    with_checkpoints(check, work)
}

/// Sets a panic hook that prints nothing for a panic while a page is read: the run reports it with the name of the scan,
/// the page, and the location in the source. Other panics are printed as before.
pub fn report_panics_by_scan() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if DEPTH.get() == 0 {
            hook(info);
        } else {
            LOCATION.set(info.location().map(ToString::to_string));
        }
    }));
}

#[cfg(test)]
mod tests {
    use formread_page::Limits;
    use formread_raster::checkpoint;

    use super::*;

    #[test]
    fn work_past_its_deadline_is_given_up_at_a_checkpoint() {
        let deadline = Limits { page_seconds: 0, ..Limits::default() }.page_deadline();
        let error = catch_panic::<()>(|| {
            until(deadline, || {
                loop {
                    checkpoint()
                }
            })
        })
        .expect_err("it has no end");
        assert!(matches!(error.kind(), ErrorKind::TimedOut(_)), "{error}");
        let deadline = Limits::default().page_deadline();
        until(deadline, checkpoint);
    }

    #[test]
    fn panic_becomes_an_internal_error_with_its_message() {
        let error = catch_panic::<()>(|| panic!("no {}", "luck")).expect_err("it panics");
        assert!(matches!(error.kind(), ErrorKind::Internal(message) if message.starts_with("no luck")), "{error}");
        assert_eq!(catch_panic(|| Ok(1)).expect("it does not panic"), 1);
        catch_panic::<()>(|| Err(Error::usage("as it was"))).expect_err("an error passes through");
    }
}
