//! How much an input may take before it is refused.

use serde::Serialize;

/// Limits on one file and its pages. What is over one is a row and a reason, and the batch goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Largest file, bytes. Checked before it is read.
    pub file_bytes: u64,
    /// Most pixels a page. Checked before memory is taken for them.
    pub page_pixels: u64,
    /// Most pages a file.
    pub pages: u32,
    /// Most memory for the decoding of a page, bytes. DecoderPool that can be told are; `pipeline` can hold all to
    /// it, in processes of their own.
    pub memory_bytes: u64,
    /// Most time for the decoding of a page, seconds. Nothing in [`crate`] sees a clock: `pipeline` holds
    /// decoders to it, in processes of their own.
    pub page_seconds: u32,
}

impl Default for Limits {
    /// 256 MiB a file, 200 million pixels a page (A2 at 600 dpi is 139 million), 2,000 pages a file, 1 GiB of memory and
    /// 60 s a page.
    fn default() -> Self {
        Self { file_bytes: 256 << 20, page_pixels: 200_000_000, pages: 2_000, memory_bytes: 1 << 30, page_seconds: 60 }
    }
}
