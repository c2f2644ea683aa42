//! Nobody is here any more: a countdown, then everything is wiped.
use super::{Model, Screen, TextSize};
use crate::event::Job;

/// A visit lasts this long at most.
const HARD_CAP_MS: i64 = 30 * 60_000;

impl Model {
    /// Seconds without a touch before the countdown, and seconds of the countdown.
    fn idle_limits(&self) -> (i64, i64) {
        match (self.look.size, &self.screen) {
            (TextSize::Normal, Screen::Slip) => (30, 20),
            (TextSize::Normal, _) => (60, 20),
            (TextSize::Elder, _) => (180, 45),
        }
    }

    pub(super) fn tick(&mut self, now_ms: i64) -> Vec<Job> {
        if now_ms < self.now_ms {
            // The clock was set back: nobody loses time by it.
            self.idle.last_touch_ms = now_ms;
        }
        self.now_ms = now_ms;
        if self.toast.as_ref().is_some_and(|t| t.until_ms <= now_ms) {
            self.toast = None;
            self.second_card = false;
        }
        let Some(session) = &mut self.session else {
            self.idle.seconds_left = None;
            return Vec::new();
        };
        if session.revealed_until_ms.is_some_and(|until| until <= now_ms) {
            session.revealed_until_ms = None;
        }
        let started_ms = session.started_ms;
        let (limit, countdown) = self.idle_limits();
        let idle_end = self.idle.last_touch_ms + (limit + countdown) * 1_000;
        let end = idle_end.min(started_ms + HARD_CAP_MS);
        let left = (end - now_ms + 999) / 1_000;
        if left <= 0 && self.is_saving() {
            return Vec::new();
        }
        if left <= 0 {
            return self.finish();
        }
        self.idle.countdown_secs = u32::try_from(countdown).unwrap_or(0);
        self.idle.seconds_left = if left <= countdown { u32::try_from(left).ok() } else { None };
        Vec::new()
    }

    pub(super) fn still_here(&mut self) -> Vec<Job> {
        self.idle.last_touch_ms = self.now_ms;
        self.idle.seconds_left = None;
        Vec::new()
    }
}
