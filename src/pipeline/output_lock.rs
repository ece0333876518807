//! Lets one run at a time write to a table.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
    time::SystemTime,
};

use same_file::Handle;

use formread_raster::{
    error::{Error, Result},
    fsio::private_options,
};

/// Begin and middle of the line by which a lock file is known.
const HOLDER: &str = "process ";
const SINCE: &str = " since ";

/// Maximum length of the holder's description that is shown, bytes.
const MAX_HOLDER_BYTES: u64 = 400;

/// Exclusive advisory lock on `OUT.csv.lock`, released on drop or process exit. It is a lock of the operating system: a lock
/// file that a killed process leaves behind blocks nobody.
#[derive(Debug)]
pub struct OutputLock {
    path: PathBuf,
    /// Keeps the lock.
    _file: File,
}

impl OutputLock {
    /// Locks the table `out`.
    ///
    /// # Errors
    /// `Usage` where another run has the lock, with the description that it left.
    pub fn acquire(out: &Path) -> Result<Self> {
        let mut path = out.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let here = |error: io::Error| Error::from(error).in_file(path.to_string_lossy());
        loop {
            let mut options = private_options();
            let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(here)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(locked_by_another(&file).in_file(out.to_string_lossy())),
                Err(TryLockError::Error(error)) => return Err(here(error)),
            }
            // The previous holder may have removed the file after it was opened here: then this lock protects nothing.
            let is_current =
                Handle::from_path(&path).and_then(|current| Ok(current == Handle::from_file(file.try_clone()?)?));
            if is_current.unwrap_or(false) {
                let mut left = String::new();
                // no text is no lock of ours
                let is_lock = (&file).take(MAX_HOLDER_BYTES).read_to_string(&mut left).is_ok()
                    && (left.is_empty() || left.starts_with(HOLDER) && left.contains(SINCE));
                if !is_lock {
                    let message = format!("not the lock of a run: {}", path.display());
                    return Err(Error::usage(message).with_hint("choose another name for the table"));
                }
                let emptied = file.rewind().and_then(|()| file.set_len(0));
                emptied.and_then(|()| file.write_all(holder().as_bytes())).map_err(here)?;
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // If it stays, it blocks nobody.
        let _ = fs::remove_file(&self.path);
    }
}

/// Describes this process.
fn holder() -> String {
    let host = gethostname::gethostname();
    let since = humantime::format_rfc3339_seconds(SystemTime::now());
    format!("{HOLDER}{} on {}{SINCE}{since}\n", process::id(), host.to_string_lossy())
}

fn locked_by_another(file: &File) -> Error {
    let mut holder = String::new();
    // The holder may not have written its description yet, or the system may not let others read it.
    let _ = file.take(MAX_HOLDER_BYTES).read_to_string(&mut holder);
    let holder = holder.lines().next().unwrap_or("an unknown process");
    Error::usage(format!("another run is writing to this table: {holder}")).with_hint("wait for it, or stop it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_lock_is_refused_with_the_holder_until_the_first_is_dropped() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let out = dir.path().join("out.csv");
        let left = format!("process 1 on a host that was killed since {}", "long ago, very ".repeat(90));
        fs::write(dir.path().join("out.csv.lock"), left).expect("it is writable");
        let lock = OutputLock::acquire(&out).expect("a killed process blocks nobody");
        let error = OutputLock::acquire(&out).expect_err("it is locked").to_string();
        let process = format!("another run is writing to this table: process {} on ", process::id());
        assert!(error.contains(&process) && error.contains(" since 2"), "{error}");
        drop(lock);
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0, "nothing is left behind");
        drop(OutputLock::acquire(&out).expect("it was released"));
    }

    #[test]
    fn file_of_another_program_is_not_taken_for_a_lock() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let (out, lock) = (dir.path().join("Cargo"), dir.path().join("Cargo.lock"));
        for left in [&b"[[package]]\nname = \"a\"\n"[..], b"process list", b"\xff\xfe"] {
            fs::write(&lock, left).expect("it is writable");
            let error = OutputLock::acquire(&out).expect_err("it is somebody else's").to_string();
            assert!(error.contains("not the lock of a run"), "{error}");
            assert_eq!(fs::read(&lock).expect("it is there"), left);
        }
    }

    #[test]
    fn lock_on_a_removed_file_is_taken_again() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let out = dir.path().join("out.csv");
        for _ in 0..20 {
            let (mut held, mut refused) = (0, 0);
            std::thread::scope(|scope| {
                let takers: Vec<_> = (0..4).map(|_| scope.spawn(|| OutputLock::acquire(&out))).collect();
                let holds: Vec<_> = takers.into_iter().map(|taker| taker.join().expect("it does not panic")).collect();
                held = holds.iter().filter(|hold| hold.is_ok()).count();
                refused = holds.len() - held;
            });
            assert_eq!((held, refused), (1, 3), "all are kept until the last has asked");
        }
    }
}
