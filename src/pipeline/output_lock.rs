//! Who writes to a table: one run at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
    time::SystemTime,
};

use same_file::Handle;

use formread_raster::error::{Error, Result};

/// Most bytes of what a holder says of itself that are passed on.
const MAX_HOLDER_BYTES: u64 = 400;

/// The right to write to a table, as long as it is not let go of. It is a lock of the operating system on
/// `OUT.csv.lock`, which ends with the process that has it, however that ends: what stands in the file, or that it is
/// there, holds nobody up.
#[derive(Debug)]
pub struct OutputLock {
    path: PathBuf,
    /// Locked.
    _file: File,
}

impl OutputLock {
    /// Takes hold of the table `out`.
    ///
    /// # Errors
    /// `Usage` where another run holds it, with what that says of itself.
    pub fn acquire(out: &Path) -> Result<Self> {
        let mut path = out.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let here = |error: io::Error| Error::from(error).in_file(path.to_string_lossy());
        loop {
            let mut options = OpenOptions::new();
            let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(here)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(held(&file).in_file(out.to_string_lossy())),
                Err(TryLockError::Error(error)) => return Err(here(error)),
            }
            // Whoever held it may have taken the file away after it was opened here: then this is a lock on nothing.
            let stands =
                Handle::from_path(&path).and_then(|stands| Ok(stands == Handle::from_file(file.try_clone()?)?));
            if stands.unwrap_or(false) {
                file.set_len(0).and_then(|()| file.write_all(holder().as_bytes())).map_err(here)?;
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // Where it stays, nobody is held up by it.
        let _ = fs::remove_file(&self.path);
    }
}

/// What this process says of itself.
fn holder() -> String {
    let host = gethostname::gethostname();
    let since = humantime::format_rfc3339_seconds(SystemTime::now());
    format!("process {} on {} since {since}\n", process::id(), host.to_string_lossy())
}

fn held(file: &File) -> Error {
    let mut holder = String::new();
    // A holder that has not yet said who it is, or that the system does not let others read, is not named.
    let _ = file.take(MAX_HOLDER_BYTES).read_to_string(&mut holder);
    let holder = holder.lines().next().unwrap_or("it does not say who it is");
    Error::usage(format!("another run is writing to this table: {holder}")).with_hint("wait for it, or stop it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_says_who_until_it_lets_go() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let out = dir.path().join("out.csv");
        fs::write(dir.path().join("out.csv.lock"), "of one that was killed, and longer than what comes now".repeat(9))
            .expect("it is writable");
        let hold = OutputLock::acquire(&out).expect("who was killed holds nobody up");
        let error = OutputLock::acquire(&out).expect_err("it is held").to_string();
        let process = format!("another run is writing to this table: process {} on ", process::id());
        assert!(error.contains(&process) && error.contains(" since 2"), "{error}");
        drop(hold);
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0, "nothing is left behind");
        drop(OutputLock::acquire(&out).expect("it was let go of"));
    }

    #[test]
    fn a_lock_on_a_file_that_was_taken_away_is_none() {
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
