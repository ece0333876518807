//! Files that are read within limits, and files and folders that are written whole or not at all.

mod atomic;
mod bounded;
mod folder;

pub use atomic::{AtomicFile, Change, commit_all, private_options, remove_leftovers, sync_folder_of, write_atomic};
pub use bounded::{open_bounded, read_bounded, read_text_bounded};
pub use folder::AtomicFolder;
