//! What identifies a version of a file without reading it.

use std::{
    fs::{self, Metadata},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// A change this recent may be followed by another one that leaves the times unchanged: file systems count in steps of up
/// to 2 s (FAT).
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// Length and times of a file: if they are unchanged, so is the file. Times are nanoseconds since 1970; 0 means unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Length, bytes.
    pub bytes: u64,
    /// Last change of the content.
    pub modified_ns: u64,
    /// Last change of the content or the metadata, which no program can set.
    pub changed_ns: u64,
}

impl Stamp {
    /// The stamp of the file at `path`; `None` if its metadata cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Some(Self {
            bytes: metadata.len(),
            modified_ns: modified.map_or(0, nanoseconds),
            changed_ns: changed_ns(&metadata),
        })
    }

    /// Time since the last change of the content. A time in the future counts by its distance from now: otherwise a file
    /// from a scanner whose clock is wrong would never settle.
    pub fn age(&self) -> Duration {
        Duration::from_nanos(now_ns().abs_diff(self.modified_ns))
    }

    /// Whether any later change of the file would change the stamp. Ask before the file is read.
    pub fn is_reliable(&self) -> bool {
        let last_ns = self.modified_ns.max(self.changed_ns);
        last_ns > 0 && last_ns.saturating_add(nanoseconds(CLOCK_STEP)) <= now_ns()
    }
}

#[cfg(unix)]
fn changed_ns(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let [s, ns] = [metadata.ctime(), metadata.ctime_nsec()].map(|part| u64::try_from(part).unwrap_or(0));
    s.saturating_mul(1_000_000_000).saturating_add(ns)
}

#[cfg(not(unix))]
fn changed_ns(_: &Metadata) -> u64 {
    0
}

/// Nanoseconds, up to the year 2554.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanoseconds)
}
