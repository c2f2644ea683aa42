//! What a process uses of the machine, as `/proc` tells it: processor time by thread, memory of a tree of processes.
use std::path::Path;

use anyhow::{Context as _, Result};

/// Milliseconds of one tick of `/proc/PID/stat` (`USER_HZ` is 100 on every Linux that Rust knows).
const TICK_MS: f64 = 10.0;

/// Processor time of a process so far, its ended threads included, in milliseconds.
///
/// # Errors
/// If there is no such process.
pub fn cpu_ms(pid: u32) -> Result<f64> {
    ticks(Path::new(&format!("/proc/{pid}/stat"))).map(|t| t * TICK_MS)
}

/// Processor time so far of the threads with this name, in milliseconds.
///
/// # Errors
/// If there is no such process.
pub fn cpu_ms_of_threads(pid: u32, name: &str) -> Result<f64> {
    let mut sum = 0.0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let folder = thread.path();
        let called = std::fs::read_to_string(folder.join("comm")).unwrap_or_default();
        if called.trim_end() == name {
            sum += ticks(&folder.join("stat"))? * TICK_MS;
        }
    }
    Ok(sum)
}

/// Memory of a process and its descendants in MiB: private pages and their share of common ones (PSS).
///
/// # Errors
/// If the process is gone or its memory may not be looked at.
pub fn pss_mib(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .with_context(|| format!("memory of process {pid}"))?;
    let own = field_kib(&text, "Pss:").context("no Pss in smaps_rollup")? / 1024.0;
    children(pid).into_iter().try_fold(own, |sum, child| Ok(sum + pss_mib(child)?))
}

/// Processes whose parent is this one.
pub fn children(pid: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|p| parent(*p) == Some(pid)).collect()
}

/// Processor time of a process and its descendants so far, in milliseconds.
///
/// # Errors
/// If there is no such process.
pub fn cpu_ms_of_tree(pid: u32) -> Result<f64> {
    children(pid).into_iter().try_fold(cpu_ms(pid)?, |sum, child| Ok(sum + cpu_ms_of_tree(child)?))
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    after_name(&stat)?.split(' ').nth(1)?.parse().ok()
}

fn ticks(stat: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(stat).with_context(|| stat.display().to_string())?;
    let fields: Vec<&str> = after_name(&text).context("no stat line")?.split(' ').collect();
    // Fields 14 and 15 of the line: user and system time.
    let time = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).context("no time");
    Ok(time(11)? + time(12)?)
}

/// `state parent …`: what follows `pid (name) `; the name may hold anything, also brackets.
fn after_name(stat: &str) -> Option<&str> {
    stat.rsplit_once(") ").map(|(_, rest)| rest)
}

fn field_kib(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|l| l.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_time_and_memory_and_knows_its_threads() {
        let pid = std::process::id();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let busy = move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                std::hint::spin_loop();
            }
        };
        let thread = std::thread::Builder::new().name("busy".into()).spawn(busy).expect("a thread");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while cpu_ms_of_threads(pid, "busy").expect("own threads") < 20.0 {
            assert!(std::time::Instant::now() < deadline, "a busy thread uses time");
            std::thread::yield_now();
        }
        assert!(cpu_ms(pid).expect("own time") >= cpu_ms_of_threads(pid, "busy").expect("own threads"));
        drop(stop);
        thread.join().expect("ends");
        assert!(pss_mib(pid).expect("own memory") > 0.5);
    }

    #[test]
    fn a_name_with_brackets_does_not_move_the_fields() {
        assert_eq!(after_name("12 (a) b) S 7 0"), Some("S 7 0"));
        assert_eq!(field_kib("Rss:  9 kB\nPss:   2048 kB\n", "Pss:"), Some(2048.0));
        assert_eq!(parent(std::process::id()), Some(std::os::unix::process::parent_id()));
    }
}
