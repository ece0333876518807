//! How much memory a process may take.

use std::{fs, io};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process take `bytes` more memory than it has, and no more: `RLIMIT_DATA` of Linux's getrlimit(2), which counts
/// what is written to and not what is mapped from files. A process that asks for more ends.
///
/// # Errors
/// Where the system does not allow it.
pub fn limit_memory(bytes: u64) -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Data);
    let limit = taken_bytes().saturating_add(bytes);
    let limit = Some(maximum.map_or(limit, |maximum| maximum.min(limit)));
    Ok(setrlimit(Resource::Data, Rlimit { current: limit, maximum: limit })?)
}

/// `VmData` of Linux's proc(5), in KiB there; 0 where the system does not say.
fn taken_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}
