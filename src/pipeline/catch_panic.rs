//! Turns a panic into an error.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, catch_unwind},
};

use formread_raster::error::{ErrorKind, Result};

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
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic");
        let location = LOCATION.take().map_or(String::new(), |location| format!(" at {location}"));
        Err(ErrorKind::Internal(format!("{message}{location}")).into())
    })
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
    use formread_raster::error::Error;

    use super::*;

    #[test]
    fn panic_becomes_an_internal_error_with_its_message() {
        let error = catch_panic::<()>(|| panic!("no {}", "luck")).expect_err("it panics");
        assert!(matches!(error.kind(), ErrorKind::Internal(message) if message.starts_with("no luck")), "{error}");
        assert_eq!(catch_panic(|| Ok(1)).expect("it does not panic"), 1);
        catch_panic::<()>(|| Err(Error::usage("as it was"))).expect_err("an error passes through");
    }
}
