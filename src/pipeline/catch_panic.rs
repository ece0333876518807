//! Turns a panic into an error.

use std::panic::{AssertUnwindSafe, catch_unwind};

use formread_raster::error::{ErrorKind, Result};

/// Runs `work` and turns a panic into an `Internal` error, so that a bug costs one page and not the run.
pub fn catch_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the work keeps across calls are the reader's templates, which never change, and its recognisers; one that was
    // in use during a panic is not used again.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic");
        Err(ErrorKind::Internal(message.to_owned()).into())
    })
}
