//! The log: to standard error, text at a console and one JSON object a line otherwise; colours only at a console
//! and never with `NO_COLOR`.
use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::settings::{Hint, Kind, Setting};

/// Which lines are written, as `tracing` takes it: a level, or levels by module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl Setting for LogFilter {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str =
        "off, error, warn, info, debug or trace, or levels by module such as info,sync_server=debug";

    fn read(text: &str) -> Option<Self> {
        // A single word that is no level would be taken for a module and silence everything else.
        let level = |word: &str| word.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
        let parts = text.split(',').map(str::trim);
        let plausible =
            |part: &str| !part.is_empty() && (part.contains('=') || part.contains('[') || level(part));
        let filter = parts.clone().all(plausible) && EnvFilter::try_new(text).is_ok();
        filter.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

/// Starts the log of this process. A second start changes nothing.
pub fn start(filter: &LogFilter) {
    let console = std::io::stderr().is_terminal();
    let filter = EnvFilter::try_new(&filter.0).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Otherwise it tells on standard error that standard error is gone, and breaks off.
    let builder = builder.log_internal_errors(false);
    let started = if console {
        builder.with_ansi(colours_wanted(std::env::var_os("NO_COLOR").as_deref())).try_init()
    } else {
        builder.with_ansi(false).json().flatten_event(true).try_init()
    };
    // The only error is that a log was started before: that one goes on.
    let _ = started;
}

/// `NO_COLOR` with any value but an empty one says no (no-color.org).
fn colours_wanted(no_color: Option<&std::ffi::OsStr>) -> bool {
    no_color.is_none_or(std::ffi::OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_filters_are_taken() {
        for good in ["info", "WARN", "off", "info,sync_server=debug", "sync_server::store=trace"] {
            assert_eq!(LogFilter::read(good).map(|f| f.text()).as_deref(), Some(good));
        }
        for bad in ["", "loud", "info,", "info,loud", "sync_server=loud", "=", "\u{0}"] {
            assert_eq!(LogFilter::read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn no_color_is_heeded() {
        assert!(colours_wanted(None) && colours_wanted(Some("".as_ref())));
        assert!(!colours_wanted(Some("1".as_ref())));
    }
}
