//! Files that are read within bounds, and files that are there whole or not at all.

mod atomic;
mod bounded;

pub use atomic::{Beside, sync_folder_of, write_beside};
pub use bounded::{open_bounded, read_bounded, read_text_bounded};
