//! How far a storm is, for a person who waits: a bar on a terminal, a line now and then in a log.
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Between two lines in a log.
const LINE_EVERY: Duration = Duration::from_secs(15);
/// Signs of the bar.
const WIDTH: u32 = 30;

/// The bar.
pub struct Progress {
    all: u32,
    show: bool,
    live: bool,
    started: Instant,
    first: Option<u32>,
    last: Option<Instant>,
}

impl Progress {
    /// A bar for so many kills in all.
    pub fn new(all: u32, show: bool) -> Self {
        let live = std::io::stderr().is_terminal();
        Self { all: all.max(1), show, live, started: Instant::now(), first: None, last: None }
    }

    /// Shows how many kills of servers and terminals were made.
    pub fn tell(&mut self, server: u32, terminal: u32) {
        let done = server + terminal;
        let first = *self.first.get_or_insert(done);
        let due = self.live || self.last.is_none_or(|l| l.elapsed() >= LINE_EVERY);
        if !self.show || !due {
            return;
        }
        self.last = Some(Instant::now());
        let line = line(self.all, (server, terminal), done - first, self.started.elapsed());
        let end = if self.live { "" } else { "\n" };
        let start = if self.live { "\r" } else { "" };
        let _ = write!(std::io::stderr(), "{start}{line}{end}");
    }

    /// Ends the line.
    pub fn end(&self) {
        if self.show && self.live {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn line(all: u32, (server, terminal): (u32, u32), new: u32, ran: Duration) -> String {
    let done = (server + terminal).min(all);
    let filled = usize::try_from(u64::from(WIDTH) * u64::from(done) / u64::from(all)).unwrap_or(0);
    let bar = format!("{}{}", "#".repeat(filled), ".".repeat(WIDTH as usize - filled));
    let left = match new {
        0 => "?".to_owned(),
        _ => {
            let seconds = ran.as_secs_f64() / f64::from(new) * f64::from(all - done);
            format!("{:.0}:{:02.0}", (seconds / 60.0).floor(), (seconds % 60.0).floor())
        }
    };
    format!("[{bar}] {done}/{all} kills (server {server}, terminal {terminal}), {left} left ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_far_and_how_long() {
        let said = line(200, (40, 60), 100, Duration::from_secs(90));
        assert!(said.contains("100/200") && said.contains("1:30 left"), "{said}");
        assert_eq!(said.matches('#').count(), 15);
        assert!(line(10, (0, 0), 0, Duration::ZERO).contains("? left"));
    }
}
