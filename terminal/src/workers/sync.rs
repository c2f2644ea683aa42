//! The sync thread: one step after another; a new row ends a wait early.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::EventSender;
use crate::sync::Engine;

/// How often a long wait looks whether the thread shall end.
const GLANCE: Duration = Duration::from_millis(300);

pub(super) fn run(mut engine: Engine, bell: &Receiver<()>, events: &EventSender, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        fail::fail_point!("terminal::sync::before_step");
        let step = engine.step();
        fail::fail_point!("terminal::sync::after_step");
        for event in step.events {
            if !events.send(event) {
                return;
            }
        }
        wait(Duration::from_millis(step.wait_ms), bell, stop);
    }
}

/// Waits this long; true if the bell rang before.
pub(super) fn wait(span: Duration, bell: &Receiver<()>, stop: &AtomicBool) -> bool {
    let end = Instant::now() + span;
    while !stop.load(Ordering::SeqCst) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        match bell.recv_timeout(left.min(GLANCE)) {
            Ok(()) => return true,
            Err(RecvTimeoutError::Timeout) => {}
            // Whoever would ring it is gone: wait without it.
            Err(RecvTimeoutError::Disconnected) => std::thread::park_timeout(left.min(GLANCE)),
        }
    }
    false
}
