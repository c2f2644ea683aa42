//! Settings of the terminal: a TOML file, then environment `JINBAN_…`, then flags; later ones win.
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Where cards come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderChoice {
    /// A real reader through pcscd.
    Pcsc,
    /// A simulator: a card file, or a folder in which one appears.
    File(PathBuf),
    /// No reader.
    None,
}

/// How large the window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowSize {
    /// The whole screen, without a frame.
    Fullscreen,
    /// Width and height in pixels.
    Pixels(u32, u32),
}

/// A setting is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {0} cannot be read")]
    Read(PathBuf, #[source] std::io::Error),
    /// The file is no TOML of this shape; the source names line and key.
    #[error("the settings file {0} is not usable")]
    Parse(PathBuf, #[source] Box<toml::de::Error>),
    /// A value is not of its form.
    #[error("{key}: {expected}")]
    Value {
        /// Which setting.
        key: &'static str,
        /// What would be right.
        expected: &'static str,
    },
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder of the store and the device key.
    pub data: PathBuf,
    /// Folder of catalogue, texts and icons.
    pub assets: PathBuf,
    /// The server's terminal listener.
    pub server: String,
    /// Where cards come from.
    pub reader: ReaderChoice,
    /// How large the window is.
    pub window: WindowSize,
}

impl Config {
    /// The flags that say the same; for the window process.
    pub fn to_flags(&self) -> Vec<OsString> {
        let reader = match &self.reader {
            ReaderChoice::Pcsc => OsString::from("pcsc"),
            ReaderChoice::None => OsString::from("none"),
            ReaderChoice::File(path) => {
                let mut text = OsString::from("file:");
                text.push(path);
                text
            }
        };
        let window = match self.window {
            WindowSize::Fullscreen => "fullscreen".to_owned(),
            WindowSize::Pixels(width, height) => format!("{width}x{height}"),
        };
        let flags: [(&str, OsString); 5] = [
            ("--data=", self.data.clone().into()),
            ("--assets=", self.assets.clone().into()),
            ("--server=", OsString::from(&self.server)),
            ("--reader=", reader),
            ("--window=", window.into()),
        ];
        let joined = flags.into_iter().map(|(name, value)| {
            let mut flag = OsString::from(name);
            flag.push(value);
            flag
        });
        joined.collect()
    }
}

/// Settings as they stand in a file or on the command line: all optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// See [`Config::data`].
    pub data: Option<PathBuf>,
    /// See [`Config::assets`].
    pub assets: Option<PathBuf>,
    /// See [`Config::server`].
    pub server: Option<String>,
    /// `pcsc`, `file:PATH` or `none`.
    pub reader: Option<String>,
    /// `fullscreen` or `1920x1080`.
    pub window: Option<String>,
}

impl Settings {
    /// Settings of a TOML file.
    ///
    /// # Errors
    /// [`ConfigError`] names the file.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|e| ConfigError::Read(file.to_owned(), e))?;
        toml::from_str(&text).map_err(|e| ConfigError::Parse(file.to_owned(), Box::new(e)))
    }

    /// These settings, with gaps filled from `below`.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            data: self.data.or(below.data),
            assets: self.assets.or(below.assets),
            server: self.server.or(below.server),
            reader: self.reader.or(below.reader),
            window: self.window.or(below.window),
        }
    }

    /// The whole configuration, with defaults.
    ///
    /// # Errors
    /// [`ConfigError::Value`] names the setting.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        Ok(Config {
            data: self.data.unwrap_or_else(|| PathBuf::from("data/terminal")),
            assets: self.assets.unwrap_or_else(|| PathBuf::from("assets")),
            server: self.server.unwrap_or_else(|| "http://127.0.0.1:8470".to_owned()),
            reader: reader_choice(self.reader.as_deref().unwrap_or("pcsc"))?,
            window: window_size(self.window.as_deref().unwrap_or("fullscreen"))?,
        })
    }
}

fn reader_choice(text: &str) -> Result<ReaderChoice, ConfigError> {
    match text {
        "pcsc" => Ok(ReaderChoice::Pcsc),
        "none" => Ok(ReaderChoice::None),
        _ => match text.strip_prefix("file:").filter(|p| !p.is_empty()) {
            Some(path) => Ok(ReaderChoice::File(PathBuf::from(path))),
            None => Err(ConfigError::Value { key: "reader", expected: "pcsc, file:PATH or none" }),
        },
    }
}

fn window_size(text: &str) -> Result<WindowSize, ConfigError> {
    let wrong =
        ConfigError::Value { key: "window", expected: "fullscreen, or width x height such as 1920x1080" };
    if text == "fullscreen" {
        return Ok(WindowSize::Fullscreen);
    }
    let (width, height) = text.split_once('x').ok_or(wrong)?;
    match (width.parse(), height.parse()) {
        (Ok(w @ 320..=16_384), Ok(h @ 320..=16_384)) => Ok(WindowSize::Pixels(w, h)),
        _ => Err(ConfigError::Value { key: "window", expected: "width and height from 320 to 16384" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(reader: &str, window: &str) -> Settings {
        Settings { reader: Some(reader.to_owned()), window: Some(window.to_owned()), ..Settings::default() }
    }

    #[test]
    fn values_are_checked() {
        assert!(settings("pcsc", "1920x1080").resolve().is_ok());
        assert!(settings("file:/tmp/card.toml", "fullscreen").resolve().is_ok());
        for (reader, window) in [
            ("usb", "fullscreen"),
            ("file:", "fullscreen"),
            ("", "1x1"),
            ("pcsc", "x"),
            ("pcsc", "-5x900"),
            ("pcsc", "99999x1080"),
        ] {
            assert!(settings(reader, window).resolve().is_err(), "{reader} {window}");
        }
    }

    #[test]
    fn a_configuration_goes_through_flags_unchanged() {
        use clap::Parser as _;
        for (reader, window) in [("pcsc", "fullscreen"), ("none", "1280x800"), ("file:-odd run", "640x480")] {
            let mut wanted = settings(reader, window);
            wanted.data = Some(PathBuf::from("run"));
            let config = wanted.resolve().expect("config");
            let words = ["terminal", "window"].map(OsString::from).into_iter().chain(config.to_flags());
            let read = crate::cli::Cli::try_parse_from(words).expect("flags").config().expect("config");
            assert_eq!(read, config);
        }
    }

    #[test]
    fn flags_win_over_the_file() {
        let file: Settings = toml::from_str("server = 'http://127.0.0.1:1'\nreader = 'none'").expect("toml");
        let merged = settings("pcsc", "fullscreen").over(file).resolve().expect("config");
        assert_eq!((merged.server.as_str(), merged.reader), ("http://127.0.0.1:1", ReaderChoice::Pcsc));
        assert!(toml::from_str::<Settings>("sever = 'x'").is_err());
    }
}
