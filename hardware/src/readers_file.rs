//! The file that says which readers a terminal has and how to talk to each (TOML, one `[[reader]]` for each).
//!
//! Bounded, and strict: a key that nobody knows, or a value out of bounds, is an error that names its line. Without
//! such a file a terminal uses whatever readers the smart-card service has, with the default settings.
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::card_reader::CardReader;
use crate::pcsc_config::{PcscConfig, Route};
use crate::pcsc_lines::polled;
use crate::pcsc_reader::PcscReader;
use crate::polled_reader::{MIN_POLL, OpenTransport, PolledReader};
use crate::reader_set::{MAX_READERS, ReaderSet};
use crate::security_module::{MAX_RETRIES, RETRIES};
use crate::trace::Trace;
use crate::transport::serial::{BAUD_RATE, BAUD_RATES, Serial};

/// Most bytes of a file.
const MAX_FILE_LEN: u64 = 16 * 1024;
/// Longest pattern or port.
const MAX_TEXT_LEN: usize = 128;
/// Most bytes of a vendor's prefix.
const MAX_PREFIX_LEN: usize = 64;
/// Longest pause between two questions, in milliseconds.
const MAX_POLL_MS: u64 = 5_000;
/// The instruction that hands a PIN to a card: no vendor's command may be it.
const VERIFY: u8 = 0x20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadersError {
    /// The file cannot be read.
    #[error("cannot read the readers file")]
    Read(#[source] std::io::Error),
    /// Longer than any such file.
    #[error("the readers file is longer than {MAX_FILE_LEN} bytes")]
    TooLong,
    /// Not TOML, or a key that nobody knows; the message names it.
    #[error("line {line}: {message}")]
    Format {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A value out of bounds.
    #[error("line {line}: `{key}` {wanted}")]
    Value {
        /// Counted from 1.
        line: usize,
        /// The key.
        key: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
}

/// A reader of the file.
#[derive(Debug, Clone)]
pub enum ReaderEntry {
    /// Readers behind the smart-card service.
    Pcsc(PcscConfig),
    /// A module on a serial line.
    Serial {
        /// Path of the port, such as `/dev/ttyUSB0`.
        port: String,
        /// Speed.
        baud: u32,
        /// How often it is asked whether a card lies there.
        poll: Duration,
        /// How often a command that went wrong is repeated.
        retries: u8,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    reader: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    pattern: Option<Spanned<String>>,
    port: Option<Spanned<String>>,
    route: Option<Spanned<String>>,
    presence: Option<Spanned<String>>,
    control_function: Option<Spanned<u32>>,
    control_prefix: Option<Spanned<String>>,
    cla: Option<Spanned<u8>>,
    ins: Option<Spanned<u8>>,
    baud: Option<Spanned<u32>>,
    poll_ms: Option<Spanned<u64>>,
    retries: Option<Spanned<u8>>,
}

/// The names of the ways, as the file has them.
const ROUTES: [(&str, Option<Route>); 6] = [
    ("auto", Some(Route::Auto)),
    ("control", Some(Route::Control)),
    ("image", Some(Route::Image)),
    ("pass_through", Some(Route::PassThrough)),
    ("contact", Some(Route::Contact)),
    ("serial", None),
];

/// The readers in a file.
///
/// # Errors
/// [`ReadersError`].
pub fn load(path: &Path) -> Result<Vec<ReaderEntry>, ReadersError> {
    // A pipe or a serial port named by mistake would keep its reader for ever.
    if !std::fs::metadata(path).map_err(ReadersError::Read)?.is_file() {
        return Err(ReadersError::Read(std::io::Error::other("it is no ordinary file")));
    }
    let file = std::fs::File::open(path).map_err(ReadersError::Read)?;
    let mut text = String::new();
    file.take(MAX_FILE_LEN + 1).read_to_string(&mut text).map_err(ReadersError::Read)?;
    if text.len() as u64 > MAX_FILE_LEN {
        return Err(ReadersError::TooLong);
    }
    parse(&text)
}

/// The readers in a text.
///
/// # Errors
/// [`ReadersError::Format`] and [`ReadersError::Value`].
pub fn parse(text: &str) -> Result<Vec<ReaderEntry>, ReadersError> {
    let file: File = toml::from_str(text).map_err(|error| ReadersError::Format {
        line: line_at(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let wrong = |at: usize, key, wanted| ReadersError::Value { line: line_at(text, at), key, wanted };
    if file.reader.is_empty() {
        return Err(wrong(0, "reader", "must stand there once at least, as [[reader]]"));
    }
    if let Some(surplus) = file.reader.get(MAX_READERS) {
        return Err(wrong(surplus.span().start, "reader", "may stand there 8 times at most"));
    }
    let entries = file.reader.iter().map(|entry| {
        read(entry.get_ref())
            .map_err(|(at, key, wanted)| wrong(at.unwrap_or(entry.span().start), key, wanted))
    });
    entries.collect()
}

/// All readers of a file as one.
pub fn open(entries: &[ReaderEntry], trace: &Trace) -> Box<dyn CardReader> {
    let configs: Vec<PcscConfig> = entries
        .iter()
        .filter_map(|entry| match entry {
            ReaderEntry::Pcsc(config) => Some(PcscConfig { trace: trace.clone(), ..config.clone() }),
            ReaderEntry::Serial { .. } => None,
        })
        .collect();
    let mut readers: Vec<Box<dyn CardReader>> = Vec::new();
    for config in configs.iter().filter(|config| config.polled.is_some()) {
        readers.push(Box::new(PolledReader::new(polled(config.clone()), config.poll(), config.retries)));
    }
    if configs.iter().any(|config| config.polled.is_none()) {
        let others = entries.len() > configs.iter().filter(|config| config.polled.is_none()).count();
        readers.push(Box::new(PcscReader::with_configs(configs).beside_others(others)));
    }
    for entry in entries {
        if let ReaderEntry::Serial { port, baud, poll, retries } = entry {
            let (port, baud, trace) = (port.clone(), *baud, trace.clone());
            let opens = move || {
                Serial::open(&port, baud).map(|line| Box::new(trace.over(&port, line)) as OpenTransport)
            };
            readers.push(Box::new(PolledReader::new(opens, *poll, *retries).expected()));
        }
    }
    match readers.len() {
        1 => readers.remove(0),
        _ => Box::new(ReaderSet::new(readers)),
    }
}

/// Where it stands, if that is known better than by the entry; the key; what it must be.
type Wrong = (Option<usize>, &'static str, &'static str);

fn read(entry: &Entry) -> Result<ReaderEntry, Wrong> {
    let route = match &entry.route {
        None => None,
        Some(name) => {
            let known = ROUTES.iter().find(|(known, _)| known == name.get_ref());
            let wanted = "must be auto, control, image, pass_through, serial or contact";
            Some(known.ok_or((Some(name.span().start), "route", wanted))?.1)
        }
    };
    let retries = within(&entry.retries, RETRIES, 0..=MAX_RETRIES, ("retries", "must be from 0 to 5"))?;
    let least = u64::try_from(MIN_POLL.as_millis()).unwrap_or(u64::MAX);
    let poll = within(&entry.poll_ms, least, least..=MAX_POLL_MS, ("poll_ms", "must be from 300 to 5000"))?;
    let poll = Duration::from_millis(poll);
    match (&entry.pattern, &entry.port) {
        (Some(_), Some(port)) => Err((Some(port.span().start), "port", "must not stand beside `pattern`")),
        (None, None) => Err((None, "pattern", "or `port` must say which reader it is")),
        (None, Some(port)) => {
            if !matches!(route, None | Some(None)) {
                return Err((None, "route", "must be serial, or not stand there, with a port"));
            }
            refuse_beside_port(entry)?;
            let baud = entry.baud.as_ref().map_or(BAUD_RATE, |baud| *baud.get_ref());
            if !BAUD_RATES.contains(&baud) {
                let at = entry.baud.as_ref().map(|baud| baud.span().start);
                return Err((at, "baud", "must be 9600, 19200, 38400, 57600 or 115200"));
            }
            let port = text(port, "port", "must be the absolute path of a port")?;
            if !port.starts_with('/') {
                return Err((None, "port", "must be the absolute path of a port"));
            }
            Ok(ReaderEntry::Serial { port, baud, poll, retries })
        }
        (Some(pattern), None) => {
            let route = route.unwrap_or(Some(Route::Auto));
            let route = route.ok_or((None, "route", "serial needs a port"))?;
            if let Some(baud) = &entry.baud {
                return Err((Some(baud.span().start), "baud", "is for serial ports"));
            }
            let polled = by_module(entry, route)?.then_some(poll);
            pcsc(entry, pattern, route)
                .map(|config| ReaderEntry::Pcsc(PcscConfig { polled, retries, ..config }))
        }
    }
}

/// Keys that mean nothing for a serial port.
fn refuse_beside_port(entry: &Entry) -> Result<(), Wrong> {
    let here = [
        ("presence", entry.presence.as_ref().map(|v| v.span().start)),
        ("control_function", entry.control_function.as_ref().map(|v| v.span().start)),
        ("control_prefix", entry.control_prefix.as_ref().map(|v| v.span().start)),
        ("cla", entry.cla.as_ref().map(|v| v.span().start)),
        ("ins", entry.ins.as_ref().map(|v| v.span().start)),
    ];
    match here.into_iter().find(|(_, at)| at.is_some()) {
        Some((key, at)) => Err((at, key, "is for readers behind the smart-card service")),
        None => Ok(()),
    }
}

/// Whether the module is to be asked for cards, in place of the slot.
fn by_module(entry: &Entry, route: Route) -> Result<bool, Wrong> {
    let Some(presence) = &entry.presence else { return Ok(false) };
    match presence.get_ref().as_str() {
        "slot" => Ok(false),
        "module" if route == Route::Control => Ok(true),
        "module" => Err((Some(presence.span().start), "presence", "by the module needs route = \"control\"")),
        _ => Err((Some(presence.span().start), "presence", "must be slot or module")),
    }
}

fn pcsc(entry: &Entry, pattern: &Spanned<String>, route: Route) -> Result<PcscConfig, Wrong> {
    let default = PcscConfig::default();
    let prefix = match &entry.control_prefix {
        None => Vec::new(),
        Some(digits) => bytes(digits.get_ref()).ok_or((
            Some(digits.span().start),
            "control_prefix",
            "must be up to 64 bytes, hexadecimal",
        ))?,
    };
    let class = within(&entry.cla, default.class, 0x80..=0xFF, ("cla", "must be from 0x80 to 0xFF"))?;
    let instruction = entry.ins.as_ref().map_or(default.instruction, |ins| *ins.get_ref());
    if instruction == VERIFY {
        let at = entry.ins.as_ref().map(|ins| ins.span().start);
        return Err((at, "ins", "must not be 0x20: that hands a PIN to a card"));
    }
    Ok(PcscConfig {
        reader_pattern: Some(text(pattern, "pattern", "must have 1 to 128 bytes")?),
        route,
        control_function: entry
            .control_function
            .as_ref()
            .map_or(default.control_function, |function| *function.get_ref()),
        control_prefix: prefix,
        class,
        instruction,
        ..default
    })
}

fn within<T: PartialOrd + Copy>(
    value: &Option<Spanned<T>>,
    default: T,
    bounds: std::ops::RangeInclusive<T>,
    (key, wanted): (&'static str, &'static str),
) -> Result<T, Wrong> {
    match value {
        None => Ok(default),
        Some(value) if bounds.contains(value.get_ref()) => Ok(*value.get_ref()),
        Some(value) => Err((Some(value.span().start), key, wanted)),
    }
}

fn text(value: &Spanned<String>, key: &'static str, wanted: &'static str) -> Result<String, Wrong> {
    if (1..=MAX_TEXT_LEN).contains(&value.get_ref().len()) {
        Ok(value.get_ref().clone())
    } else {
        Err((Some(value.span().start), key, wanted))
    }
}

/// Hexadecimal digits, spaces between bytes allowed.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> =
        digits.chars().filter(|c| *c != ' ').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if digits.len() > 2 * MAX_PREFIX_LEN || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
#[path = "readers_file_tests.rs"]
mod tests;
