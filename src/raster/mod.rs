//! Pixels, without forms.

mod ink;

pub use ink::{ink_of_image, without_neighbours};
