//! Limits on what an input may take.

use serde::Serialize;

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
    /// Most time for the decoding of a page, seconds. Enforced by a
    /// [`DecoderPool`](crate::decoder_process::DecoderPool) with a command alone.
    pub page_seconds: u32,
}

impl Default for Limits {
    /// 256 MiB a file, 200 million pixels a page (A2 at 600 dpi is 139 million), 2,000 pages a file, 1 GiB of memory and
    /// 60 s a page.
    fn default() -> Self {
        Self { file_bytes: 256 << 20, page_pixels: 200_000_000, pages: 2_000, memory_bytes: 1 << 30, page_seconds: 60 }
    }
}
