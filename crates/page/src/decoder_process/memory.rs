//! The memory limit of a process.

use std::{fs, io};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Limits this process to `bytes` more memory than it has now: `RLIMIT_DATA` of Linux's getrlimit(2), which counts private writable
/// memory but not mapped files. An allocation beyond the limit ends the process.
///
/// # Errors
/// Where the system does not allow it.
pub fn limit_memory(bytes: u64) -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Data);
    let limit = used_bytes().saturating_add(bytes);
    let limit = Some(maximum.map_or(limit, |maximum| maximum.min(limit)));
    Ok(setrlimit(Resource::Data, Rlimit { current: limit, maximum: limit })?)
}

/// `VmData` of Linux's proc(5), which is in KiB there; 0 where the system does not provide it.
fn used_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}
