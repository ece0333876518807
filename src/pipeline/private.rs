//! Files that only their owner may read: what was read from a form is personal data.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Creates or truncates a file for writing.
pub fn create_private(path: &Path) -> io::Result<File> {
    private_options().write(true).create(true).truncate(true).open(path)
}

/// Opens or creates a file for reading and writing.
pub fn open_private(path: &Path) -> io::Result<File> {
    private_options().read(true).write(true).create(true).truncate(false).open(path)
}

/// Options under which a new file has mode 0600 on Unix.
fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
