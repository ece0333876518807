//! Folders that appear under their name whole or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::atomic::{NEW_SUFFIX, OLD_SUFFIX, folder_of, hidden, hidden_prefix, sync_folder_of};
use crate::error::{Error, Result};

/// A folder that is filled under a hidden name and renamed when it is complete, so that its name always leads to a complete
/// folder: the new one or the one before. Dropped before [`AtomicFolder::commit`], it leaves nothing behind. On Unix only its
/// owner can read it. Its files are not synced to the disk: it is for what can be made again.
#[derive(Debug)]
pub struct AtomicFolder {
    path: PathBuf,
    folder: TempDir,
}

impl AtomicFolder {
    /// Creates the hidden folder, beside `path`.
    ///
    /// # Errors
    /// Where the folder that it is in cannot be written to.
    pub fn create(path: PathBuf) -> Result<Self> {
        let folder = hidden(&hidden_prefix(&path), NEW_SUFFIX).tempdir_in(folder_of(&path));
        let folder = folder.map_err(|error| Error::from(error).in_file(path.to_string_lossy()))?;
        Ok(Self { path, folder })
    }

    /// Where it is until it is complete.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Renames it. A folder that has its name is removed.
    ///
    /// # Errors
    /// Where its name belongs to something that cannot be replaced; then that stays.
    pub fn commit(self) -> Result<()> {
        let Self { path, folder } = self;
        let replace = || -> io::Result<()> {
            if !fs::exists(&path)? {
                fs::rename(folder.path(), &path)?;
                return sync_folder_of(&path);
            }
            let before = hidden(&hidden_prefix(&path), OLD_SUFFIX).tempdir_in(folder_of(&path))?;
            let kept = before.path().join("folder");
            fs::rename(&path, &kept)?;
            if let Err(error) = fs::rename(folder.path(), &path) {
                fs::rename(&kept, &path)?;
                return Err(error);
            }
            sync_folder_of(&path)
        };
        let replaced = replace();
        replaced.map_err(|error| Error::from(error).in_file(path.to_string_lossy()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_appears_whole_and_replaces_the_one_before() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("samples");
        let names = |folder: &Path| -> Vec<_> {
            let entries = fs::read_dir(folder).expect("it is there").flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        for name in ["first", "second"] {
            let folder = AtomicFolder::create(path.clone()).expect("the folder is writable");
            fs::write(folder.path().join(name), "").expect("the folder is writable");
            folder.commit().expect("the disk has room");
            assert_eq!((names(&path), names(dir.path())), (vec![name.to_owned()], vec!["samples".to_owned()]));
        }
        drop(AtomicFolder::create(path).expect("the folder is writable"));
        assert_eq!(names(dir.path()), ["samples"], "one that is not complete leaves nothing");
    }
}
