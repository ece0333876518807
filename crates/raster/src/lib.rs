//! Pixels, geometry, errors, hashes and files: the lowest crate, which knows nothing of forms.

mod binarise;
mod checkpoint;
mod components;
pub mod error;
pub mod fsio;
pub mod geometry;
pub mod hash;
pub mod hash_chain;
mod ink;
mod lines;
mod params;
mod printable;
mod quarters;
mod rectify;
mod reduce;
mod sample;

pub use binarise::{SauvolaParams, ink_share, sauvola};
pub use checkpoint::{checkpoint, with_checkpoints};
pub use components::{Components, Labels, Run, find_components, label_components};
pub use ink::{GreyHistogram, extract_ink, remove_neighbours};
pub use lines::{LineParams, LinePieces, find_line_pieces, join_pieces};
pub use printable::{printable, printable_lines};
pub use quarters::{rotate_back, rotate_point_back, transpose};
pub use rectify::rectify;
pub use reduce::reduce;
pub use sample::{Sampler, add_profiles, bilinear};
