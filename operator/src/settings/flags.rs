//! The flags of a program's settings: one for each key, made from the table and accepted by every command.
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::marker::PhantomData;

use clap::builder::OsStringValueParser;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, ValueHint};

use super::{Environment, Key, Kind, PREFIX, Resolution, Settings, layers};

/// Heading of these flags in `--help`.
const HEADING: &str = "Settings (also in the settings file and the environment)";

/// What the command line says about the settings `S`; texts as they came, not judged yet.
#[derive(Debug, Clone)]
pub struct Flags<S> {
    /// `--config`.
    pub(super) config: Option<OsString>,
    /// Values by name of their key.
    pub(super) given: BTreeMap<&'static str, OsString>,
    settings: PhantomData<fn() -> S>,
}

impl<S: Settings> Flags<S> {
    /// Flags over environment over file over defaults.
    pub fn resolve(&self, environment: &Environment) -> Resolution<S> {
        layers::resolve(self, environment)
    }
}

impl<S> Default for Flags<S> {
    fn default() -> Self {
        Self { config: None, given: BTreeMap::new(), settings: PhantomData }
    }
}

impl<S: Settings> Args for Flags<S> {
    fn augment_args(command: Command) -> Command {
        let about = format!(
            "Settings file (TOML); without it ./{} is read if it is there; empty for none [env: {PREFIX}CONFIG]",
            S::default_file()
        );
        let config = base("config", "FILE", about).long("config").value_hint(ValueHint::FilePath);
        S::KEYS.iter().map(arg).fold(command.arg(config), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Settings> FromArgMatches for Flags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let given = |name: &str| matches.get_one::<OsString>(name).cloned();
        self.config = given("config").or(self.config.take());
        for key in S::KEYS {
            if let Some(text) = given(key.name) {
                self.given.insert(key.name, text);
            }
        }
        Ok(())
    }
}

fn base(name: &'static str, value: &'static str, help: String) -> Arg {
    Arg::new(name)
        .global(true)
        .value_name(value)
        .help(help)
        .help_heading(HEADING)
        .value_parser(OsStringValueParser::new())
}

fn arg(key: &'static Key) -> Arg {
    let default = if key.default.is_empty() { String::new() } else { format!(" [default: {}]", key.default) };
    let help = format!("{}{default} [env: {}]", key.about.trim().trim_end_matches('.'), key.variable());
    match key.kind {
        Kind::Text => base(key.name, "VALUE", help).long(key.flag()).value_hint(key.hint),
        Kind::Switch => base(key.name, "true|false", help)
            .long(key.flag())
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
    }
}
