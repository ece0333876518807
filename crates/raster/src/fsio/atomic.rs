//! Files that appear under their name whole or not at all, and files that only their owner can read.

use std::{
    fs::{self, File, FileType, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempPath};

use crate::{
    error::{Error, Result},
    hash::shorten_name,
};

/// Longest part of a name that a temporary name repeats, bytes: file systems allow 255 in all.
const MAX_PREFIX_BYTES: usize = 200;

/// Random characters of a temporary name, and its end: of a file that is being written, and of one that is about to be replaced.
const N_RANDOM: usize = 6;
pub(super) const NEW_SUFFIX: &str = ".new";
pub(super) const OLD_SUFFIX: &str = ".old";

/// Mode of files that may hold personal data: readable and writable by their owner alone.
#[cfg(unix)]
const PRIVATE_MODE: u32 = 0o600;

/// A file that is written under a temporary name and renamed when it is complete, so that its name always leads to a complete
/// file: the new one or the one before. Dropped before [`AtomicFile::commit`], it leaves nothing behind. On Unix only its owner
/// can read it. The temporary name is a hidden one that nobody had before: a file, or a link, of another name is never written to.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl AtomicFile {
    /// Creates the temporary file, `.NAME.XXXXXX.new` in the folder of `path`.
    ///
    /// # Errors
    /// `Usage` where `path` is a device, a pipe or a socket, in whose place there would be a file; where the folder cannot be written to.
    pub fn create(path: PathBuf) -> Result<Self> {
        let is_special = |kind: FileType| !(kind.is_file() || kind.is_dir() || kind.is_symlink());
        if fs::symlink_metadata(&path).is_ok_and(|metadata| is_special(metadata.file_type())) {
            let error = Error::usage("neither a device nor a pipe is replaced by a file");
            return Err(error.in_file(path.to_string_lossy()).with_hint("choose another name"));
        }
        let file = hidden(&hidden_prefix(&path), NEW_SUFFIX)
            .tempfile_in(folder_of(&path))
            .map_err(|error| Error::from(error).in_file(path.to_string_lossy()))?;
        Ok(Self { path, file })
    }

    /// Length of what has been written so far, bytes.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn n_bytes(&self) -> io::Result<u64> {
        Ok(self.file.as_file().metadata()?.len())
    }

    /// Opens what has been written so far for reading.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn reopen(&self) -> Result<File> {
        self.file.reopen().map_err(|error| Error::from(error).in_file(self.path.to_string_lossy()))
    }

    /// Stores the file on the disk, renames it, and stores the new name.
    ///
    /// # Errors
    /// Where the disk is full, or the name belongs to something that is not a file.
    pub fn commit(self) -> Result<()> {
        let Self { path, file } = self;
        let located = |error: io::Error| Error::from(error).in_file(path.to_string_lossy());
        file.as_file().sync_all().map_err(located)?;
        file.persist(&path).map_err(|error| located(error.error))?;
        sync_folder_of(&path).map_err(located)
    }

    /// The same, but never in the place of another file: `false` where there is one.
    ///
    /// # Errors
    /// As [`AtomicFile::commit`].
    pub fn commit_new(self) -> Result<bool> {
        let Self { path, file } = self;
        let located = |error: io::Error| Error::from(error).in_file(path.to_string_lossy());
        file.as_file().sync_all().map_err(located)?;
        match file.persist_noclobber(&path) {
            Ok(_) => sync_folder_of(&path).map(|()| true).map_err(located),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(located(error.error)),
        }
    }
}

/// What becomes of a name.
#[derive(Debug)]
pub enum Change {
    /// It leads to this file.
    Write(AtomicFile),
    /// It leads to nothing.
    Remove(PathBuf),
}

impl Change {
    fn path(&self) -> &Path {
        match self {
            Self::Write(AtomicFile { path, .. }) | Self::Remove(path) => path,
        }
    }

    fn apply(self) -> io::Result<()> {
        match self {
            Self::Write(AtomicFile { path, file }) => file.persist(&path).map(drop).map_err(|error| error.error),
            Self::Remove(path) => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }
}

/// Makes all changes in their order, or none: where one fails, those before it are taken back. Whoever is killed in between
/// leaves the first ones done.
///
/// # Errors
/// As [`AtomicFile::commit`].
pub fn commit_all(changes: Vec<Change>) -> Result<()> {
    let located = |path: &Path, error: io::Error| Error::from(error).in_file(path.to_string_lossy());
    for change in &changes {
        if let Change::Write(AtomicFile { path, file }) = change {
            file.as_file().sync_all().map_err(|error| located(path, error))?;
        }
    }
    let mut done: Vec<(PathBuf, Option<TempPath>)> = Vec::new();
    for change in changes {
        let path = change.path().to_owned();
        let changed = keep(&path).and_then(|kept| change.apply().map(|()| kept));
        match changed {
            Ok(kept) => done.push((path, kept)),
            Err(error) => {
                for (path, kept) in done.into_iter().rev() {
                    // where this fails, too, the error of the change is the one to report
                    let _ = match kept {
                        Some(kept) => kept.persist(path).map_err(|error| error.error),
                        None => fs::remove_file(path),
                    };
                }
                return Err(located(&path, error));
            }
        }
    }
    done.iter().try_for_each(|(path, _)| sync_folder_of(path).map_err(|error| located(path, error)))
}

/// A second, hidden name of the file at `path`, or of a copy where there are no such names; `None` where there is no file.
fn keep(path: &Path) -> io::Result<Option<TempPath>> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let link = |to: &Path| match fs::hard_link(path, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            let mut copy = private_options().write(true).create_new(true).open(to)?;
            io::copy(&mut File::open(path)?, &mut copy).map(drop)
        }
        linked => linked,
    };
    let kept = hidden(&hidden_prefix(path), OLD_SUFFIX).make_in(folder_of(path), link)?;
    Ok(Some(kept.into_temp_path()))
}

/// Removes what a killed process left under the hidden names of `path`. Nobody else may be writing to it.
///
/// # Errors
/// Where the folder cannot be listed, or a file not be removed.
pub fn remove_leftovers(path: &Path) -> Result<()> {
    let located = |error: io::Error| Error::from(error).in_file(path.to_string_lossy());
    let prefix = hidden_prefix(path);
    for entry in fs::read_dir(folder_of(path)).map_err(located)? {
        let entry = entry.map_err(located)?;
        let name = entry.file_name();
        let middle = name.to_str().and_then(|name| {
            let rest = name.strip_prefix(&prefix)?;
            rest.strip_suffix(NEW_SUFFIX).or_else(|| rest.strip_suffix(OLD_SUFFIX))
        });
        let is_ours =
            middle.is_some_and(|middle| middle.len() == N_RANDOM && middle.bytes().all(|b| b.is_ascii_alphanumeric()));
        if is_ours && entry.file_type().map_err(located)?.is_file() {
            fs::remove_file(entry.path()).map_err(located)?;
        }
    }
    Ok(())
}

pub(super) fn hidden_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".{}.", shorten_name(name.into_owned(), MAX_PREFIX_BYTES))
}

/// Names with this prefix and suffix that nobody had before.
pub(super) fn hidden<'s>(prefix: &'s str, suffix: &'s str) -> tempfile::Builder<'s, 's> {
    let mut names = tempfile::Builder::new();
    names.prefix(prefix).rand_bytes(N_RANDOM).suffix(suffix);
    names
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Stores the names in the folder of `path` on the disk. A file that was stored has its name after a power failure only if
/// the name was stored, too.
///
/// # Errors
/// Where they cannot be stored.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    // other systems cannot open a folder, and store its names with the file
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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

/// Options for files that may hold personal data and stay open: on Unix a file that they create is readable and writable by its
/// owner alone, and a link in its place is not followed.
pub fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(PRIVATE_MODE).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}

#[cfg(test)]
mod tests {
    use std::fs;

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
    }

    #[cfg(unix)]
    #[test]
    fn socket_is_not_replaced_by_a_file() {
        use std::os::unix::{fs::FileTypeExt, net::UnixListener};

        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("socket");
        let _listener = UnixListener::bind(&path).expect("the folder is writable");
        let error = write_atomic(&path, b"a").expect_err("it is no file");
        assert!(error.to_string().contains("neither a device nor a pipe"), "{error}");
        assert!(fs::metadata(&path).expect("it is there").file_type().is_socket());
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 1);
    }

    #[test]
    fn changes_are_all_made_or_none() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = |name: &str| dir.path().join(name);
        let content = |name: &str| fs::read_to_string(path(name)).ok();
        let names = || {
            let mut names: Vec<_> =
                fs::read_dir(dir.path()).expect("it is there").flatten().map(|e| e.file_name()).collect();
            names.sort();
            names
        };
        let change = |name: &str| {
            let mut file = AtomicFile::create(path(name)).expect("the folder is writable");
            file.write_all(b"new").expect("the disk has room");
            Change::Write(file)
        };
        fs::write(path("b"), "old").expect("the folder is writable");
        fs::write(path("c"), "old").expect("the folder is writable");
        fs::create_dir(path("d")).expect("the folder is writable");
        let changes = vec![change("a"), change("b"), Change::Remove(path("c")), change("d")];
        let error = commit_all(changes).expect_err("d is a folder").to_string();
        assert!(error.contains("/d: "), "{error}");
        assert_eq!(names(), ["b", "c", "d"]);
        assert_eq!((content("b").as_deref(), content("c").as_deref()), (Some("old"), Some("old")));
        fs::remove_dir(path("d")).expect("it is empty");
        let changes = vec![change("a"), change("b"), Change::Remove(path("c")), Change::Remove(path("e")), change("d")];
        commit_all(changes).expect("the folder is writable");
        assert_eq!(names(), ["a", "b", "d"]);
        assert!(["a", "b", "d"].iter().all(|name| content(name).as_deref() == Some("new")));
    }

    #[test]
    fn leftovers_of_a_killed_process_are_removed_and_no_other_file() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let others =
            [".a.csv.new", ".a.csv.12345.new", ".a.csv.1234567.old", ".b.csv.123456.new", ".a.csv.12-456.new", "a.csv"];
        for name in others.iter().chain(&[".a.csv.aB3456.new", ".a.csv.123456.old"]) {
            fs::write(dir.path().join(name), "").expect("the folder is writable");
        }
        remove_leftovers(&dir.path().join("a.csv")).expect("the folder is writable");
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).expect("it is there").flatten().map(|e| e.file_name()).collect();
        names.sort();
        let mut want = others;
        want.sort_unstable();
        assert_eq!(names, want);
    }

    #[cfg(unix)]
    #[test]
    fn links_in_the_way_are_not_followed() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let (path, other) = (dir.path().join("table.csv"), dir.path().join("other"));
        fs::write(&other, "of another").expect("the folder is writable");
        for name in ["table.csv", "table.csv.new"] {
            std::os::unix::fs::symlink(&other, dir.path().join(name)).expect("there are links");
        }
        private_options().write(true).create(true).truncate(true).open(&path).expect_err("it is a link");
        write_atomic(&path, b"table").expect("the folder is writable");
        assert_eq!(fs::read(&other).expect("it is there"), b"of another");
        assert!(fs::symlink_metadata(&path).expect("it is there").is_file());
        fs::write(&path, "first").expect("it is a file now");
        let second = AtomicFile::create(path.clone()).expect("the folder is writable");
        assert!(!second.commit_new().expect("the folder is writable"));
        assert_eq!(fs::read(&path).expect("it is there"), b"first");
    }
}
