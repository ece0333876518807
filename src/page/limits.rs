//! How large an input may be before it is refused.

use serde::Serialize;

/// Limits on one file. Dimensions are checked before memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Largest file, bytes.
    pub file_bytes: u64,
    /// Most pixels a page.
    pub page_pixels: u64,
    /// Most pages a file.
    pub pages: u32,
}

impl Default for Limits {
    /// 256 MiB a file, 200 million pixels a page (A2 at 600 dpi is 139 million), 2,000 pages a file.
    fn default() -> Self {
        Self { file_bytes: 256 << 20, page_pixels: 200_000_000, pages: 2_000 }
    }
}
