//! A file that is written beside its name and takes it when it is whole: under the name stands all of it, or what stood
//! there before.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// One file on its way to its name. Let go of before [`AtomicFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    is_committed: bool,
}

impl AtomicFile {
    /// Opens `path` with `.new` added to it.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn create(path: PathBuf) -> Result<Self> {
        let mut temporary = path.clone().into_os_string();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        let file = File::create(&temporary).map_err(|error| Error::from(error).in_file(temporary.to_string_lossy()))?;
        Ok(Self { path, temporary, file, is_committed: false })
    }

    /// What has been written, to be read.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn reopen(&self) -> Result<File> {
        File::open(&self.temporary).map_err(|error| Error::from(error).in_file(self.temporary.to_string_lossy()))
    }

    /// Stores the file on the disk, gives it its name, and stores that.
    ///
    /// # Errors
    /// Where the disk is full, or something that is no file has the name.
    pub fn commit(mut self) -> Result<()> {
        let here = |error: io::Error| Error::from(error).in_file(self.path.to_string_lossy());
        self.file.sync_all().map_err(here)?;
        fs::rename(&self.temporary, &self.path).map_err(here)?;
        self.is_committed = true;
        sync_folder_of(&self.path).map_err(here)
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
            // what cannot be removed is replaced by the next run
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Stores the names in the folder of `path` on the disk: a file that was stored has its name after a power failure only
/// when these are.
///
/// # Errors
/// Where they cannot be stored.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Elsewhere a folder cannot be opened, and its names are stored with the file.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Writes `bytes` to `path` so that the file is there whole or not at all.
///
/// # Errors
/// Where it cannot be stored.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path.to_owned())?;
    file.write_all(bytes).map_err(|error| Error::from(error).in_file(path.to_string_lossy()))?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_published_leaves_nothing_and_what_is_takes_its_name() {
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
}
