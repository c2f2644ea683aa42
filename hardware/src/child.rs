//! Programs that run beside the terminal, each in a process group of its own. Refuses to leave anything behind.
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// Between two looks whether the last of a group is gone, and how many there are: half a second in all.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS: u32 = 100;

/// Ends a program and all that it started, and waits for it: it cannot refuse. The group outlives its leader where that
/// left children behind; the leader's number is still ours, because it is collected only here.
pub(crate) fn end_group(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
    // What it started dies a moment later, and somebody else collects it.
    let is_there = || group.is_some_and(|group| test_kill_process_group(group).is_ok());
    for _ in 0..LOOKS {
        if !is_there() {
            break;
        }
        std::thread::sleep(LOOK);
    }
}
