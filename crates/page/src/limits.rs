//! Limits on what an input may take.

use std::time::{Duration, Instant};

use serde::Serialize;

use formread_raster::error::{Error, Result};

/// Limits on one file and its pages. A file or page over a limit gets an error, and a run continues with the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Largest file, bytes. Checked before the file is read.
    pub file_bytes: u64,
    /// Most pixels of a page. Checked before memory is allocated for them.
    pub page_pixels: u64,
    /// Most pages of a file.
    pub pages: u32,
    /// Most memory for the decoding of a page, bytes. Some decoders have a limit of their own, which is set to it; a
    /// [`DecoderPool`](crate::decoder_process::DecoderPool) with a command enforces it for all.
    pub memory_bytes: u64,
    /// Most time for a page, seconds: until it is decoded, registered, cut and its values are put together. The time for its
    /// decoding is enforced by a [`DecoderPool`](crate::decoder_process::DecoderPool) with a command alone.
    pub page_seconds: u32,
    /// Most time for the pages of a file, seconds. The pages that are left then are not read.
    pub file_seconds: u32,
}

impl Limits {
    /// The end of the time for a page that begins now.
    pub fn page_deadline(&self) -> Deadline {
        self.deadline(Duration::from_secs(self.page_seconds.into()), Duration::MAX)
    }

    /// The end of what is left of the time for a page, or of that for its file, whichever is earlier.
    pub fn deadline(&self, of_page: Duration, of_file: Duration) -> Deadline {
        let now = Instant::now();
        if of_file < of_page {
            Deadline { at: now + of_file, limit: TimeLimit::File(self.file_seconds) }
        } else {
            Deadline { at: now + of_page, limit: TimeLimit::Page(self.page_seconds) }
        }
    }
}

/// The end of the time for some work.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    limit: TimeLimit,
}

/// Which limit is over.
#[derive(Debug, Clone, Copy)]
enum TimeLimit {
    Page(u32),
    File(u32),
}

impl Deadline {
    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The error of work that is not done in time.
    pub fn error(&self) -> Error {
        match self.limit {
            TimeLimit::Page(seconds) => Error::timed_out(format!("over the limit of {seconds} seconds a page")),
            TimeLimit::File(seconds) => Error::timed_out(format!("over the limit of {seconds} seconds a file")),
        }
    }

    /// Nothing, as long as time is left.
    ///
    /// # Errors
    /// `TimedOut` afterwards.
    pub fn check(&self) -> Result<()> {
        if self.left().is_zero() { Err(self.error()) } else { Ok(()) }
    }
}

impl Default for Limits {
    /// 256 MiB a file, 200 million pixels a page (A2 at 600 dpi is 139 million), 2,000 pages a file, 1 GiB of memory and
    /// 60 s a page, one hour a file.
    fn default() -> Self {
        Self {
            file_bytes: 256 << 20,
            page_pixels: 200_000_000,
            pages: 2_000,
            memory_bytes: 1 << 30,
            page_seconds: 60,
            file_seconds: 3_600,
        }
    }
}
