//! Programs that run beside the terminal, each in a process group of its own. Refuses to leave anything behind.
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process_group};

/// Ends a program and all that it started, and waits for it: it cannot refuse. The group outlives its leader where that
/// left children behind; the leader's number is still ours, because it is collected only here.
pub(crate) fn end_group(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
