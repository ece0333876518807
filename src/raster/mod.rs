//! Pixels, without forms.

mod barcode;
mod binarise;
mod components;
mod ink;
mod lines;
mod quarters;
mod rectify;
mod reduce;
mod sample;
pub mod text;

pub use barcode::{Symbology, barcode_readings, draw_barcode};
pub use binarise::{SauvolaParams, ink_share, sauvola};
pub use components::{Labels, labelled};
pub use ink::{Counts, ink_of_image, without_neighbours};
pub use lines::{LineParams, LinePieces, find_line_pieces, join_pieces};
pub use quarters::{transposed, turned_back, turned_point};
pub use rectify::rectified;
pub use reduce::reduce;
pub use sample::{Sampler, add_profile, bilinear};
