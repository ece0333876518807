//! How much of a page people see.

use serde::{Deserialize, Serialize};

/// How much of a page people may see besides the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// Nothing else.
    None,
    /// A strip of the page, as high as five fields.
    Strip,
    /// The page.
    Page,
}
