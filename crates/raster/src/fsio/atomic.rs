//! Files that appear under their name whole or not at all, and files that only their owner can read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// Mode of files that may hold personal data: readable and writable by their owner alone.
#[cfg(unix)]
const PRIVATE_MODE: u32 = 0o600;

/// A file that is written under a temporary name and renamed when it is complete, so that its name always leads to a complete
/// file: the new one or the one before. Dropped before [`AtomicFile::commit`], it leaves nothing behind. On Unix only its owner
/// can read it.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    is_committed: bool,
}

impl AtomicFile {
    /// Creates the temporary file: `path` with `.new` added to it.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn create(path: PathBuf) -> Result<Self> {
        let mut temporary = path.clone().into_os_string();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        let file =
            create_private(&temporary).map_err(|error| Error::from(error).in_file(temporary.to_string_lossy()))?;
        Ok(Self { path, temporary, file, is_committed: false })
    }

    /// Opens what has been written so far for reading.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn reopen(&self) -> Result<File> {
        File::open(&self.temporary).map_err(|error| Error::from(error).in_file(self.temporary.to_string_lossy()))
    }

    /// Stores the file on the disk, renames it, and stores the new name.
    ///
    /// # Errors
    /// Where the disk is full, or the name belongs to something that is not a file.
    pub fn commit(mut self) -> Result<()> {
        let located = |error: io::Error| Error::from(error).in_file(self.path.to_string_lossy());
        self.file.sync_all().map_err(located)?;
        fs::rename(&self.temporary, &self.path).map_err(located)?;
        self.is_committed = true;
        sync_folder_of(&self.path).map_err(located)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_committed {
            // a file that cannot be removed is overwritten next time
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Stores the names in the folder of `path` on the disk. A file that was stored has its name after a power failure only if
/// the name was stored, too.
///
/// # Errors
/// Where they cannot be stored.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // other systems cannot open a folder, and store its names with the file
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Writes `bytes` to `path` as an [`AtomicFile`].
///
/// # Errors
/// Where they cannot be stored.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path.to_owned())?;
    file.write_all(bytes).map_err(|error| Error::from(error).in_file(path.to_string_lossy()))?;
    file.commit()
}

/// Options for files that may hold personal data: on Unix a file that they create is readable and writable by its owner
/// alone.
pub fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE_MODE);
    options
}

/// Creates an empty file for writing that on Unix its owner alone can read and write. A file of that name is emptied first, and
/// gets the same permissions.
///
/// # Errors
/// Where it cannot be created.
pub fn create_private(path: &Path) -> io::Result<File> {
    let file = private_options().write(true).create(true).truncate(true).open(path)?;
    // the mode of the options is for new files only
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(PRIVATE_MODE))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atomic_file_without_commit_leaves_nothing() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("a.json");
        let mut file = AtomicFile::create(path.clone()).expect("the folder is writable");
        file.write_all(b"half").expect("the disk has room");
        drop(file);
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0);
        write_atomic(&path, b"whole").expect("the disk has room");
        assert_eq!(fs::read(&path).expect("it was written"), b"whole");
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn created_file_is_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("table.csv");
        let mode = || fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
        // the first and the last replace a file that all may read
        fs::write(&path, b"").expect("the folder is writable");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("it is ours");
        write_atomic(&path, b"a").expect("the disk has room");
        assert_eq!(mode(), 0o600);
        fs::remove_file(&path).expect("it is there");
        private_options().append(true).create(true).open(&path).expect("the folder is writable");
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("it is ours");
        create_private(&path).expect("the folder is writable");
        assert_eq!(mode(), 0o600);
    }
}
