//! The parameters of the checks.

/// What `template check` assumes of the scans to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckParams {
    /// Resolution of the scans, dots per inch, 50 to 1200. Default 300.
    pub dpi: f64,
}

impl Default for CheckParams {
    fn default() -> Self {
        Self { dpi: 300.0 }
    }
}
