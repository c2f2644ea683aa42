//! The supervisor's thread: looks after the devices, and tells the screen when one changed.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::EventSender;
use super::sync::wait;
use crate::devices::Supervisor;
use crate::event::Event;

/// Between two rounds. A round in which nothing is due reads a few numbers.
const ROUND: Duration = Duration::from_millis(500);

/// Ends when it is told to; the bell asks for a round now.
pub(super) fn run(mut supervisor: Supervisor, bell: &Receiver<()>, events: &EventSender, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let news = supervisor.round();
        let told = [news.view.map(Event::Devices), news.lines.map(Event::DeviceTrace)];
        if !told.into_iter().flatten().all(|event| events.send(event)) {
            return;
        }
        wait(ROUND, bell, stop);
    }
}
