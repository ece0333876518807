//! Pixels, without forms.

mod binarise;
mod lines;
mod reduce;
pub mod text;

pub use binarise::{SauvolaParams, ink_share, sauvola};
pub use lines::{LineParams, LinePieces, find_line_pieces, join_pieces};
pub use reduce::reduce;
