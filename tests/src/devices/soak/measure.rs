//! What a run is measured by: memory and threads of this process.
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Resident memory of this process, KiB.
pub(super) fn resident_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmRSS")
}

pub(super) fn threads() -> Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Threads, once those that were told to end have ended.
pub(super) fn settled_threads(wanted: usize) -> Result<usize> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let now = threads()?;
        if now <= wanted || Instant::now() >= end {
            return Ok(now);
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A folder short enough for a socket's path.
///
/// # Errors
/// If it cannot be made.
pub fn short_folder() -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix("jd").tempdir_in(Path::new("/tmp"))?)
}
