//! Files that are read within limits, and files that are written whole or not at all.

mod atomic;
mod bounded;

pub use atomic::{AtomicFile, Change, commit_all, private_options, remove_leftovers, sync_folder_of, write_atomic};
pub use bounded::{open_bounded, read_bounded, read_text_bounded};
