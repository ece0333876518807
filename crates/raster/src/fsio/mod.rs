//! Files that are read within bounds, and files that are there whole or not at all.

mod atomic;
mod bounded;

pub use atomic::{AtomicFile, sync_folder_of, write_atomic};
pub use bounded::{open_bounded, read_bounded, read_text_bounded};
