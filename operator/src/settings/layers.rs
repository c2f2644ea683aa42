//! Defaults, then the file, then the environment, then flags: later ones win, and each value keeps its source.
//!
//! `figment` merges and remembers sources. Its own readers are not used: its TOML reader knows no line, and its
//! environment reader takes `007` for a number. A value goes into a layer only if it is of its form.
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::mistake::quoted;
use super::{Flags, Key, Mistake, Mistakes, PREFIX, Settings, file};
use crate::log::LogFilter;

/// Variables with the prefix that are no settings of any program.
const OTHER_VARIABLES: &[&str] =
    &["JINBAN_CONFIG", "JINBAN_SUPERVISOR_PID", "JINBAN_VIRTUAL_READER", "JINBAN_TEST_DATABASE"];
/// What `config show` calls the source of a default.
const DEFAULT: &str = "default";

/// Environment variables that concern settings.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self::of(std::env::vars_os())
    }

    /// Given ones, for tests.
    pub fn of<N: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let ours = |name: &OsStr| name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
        let pairs = variables.into_iter().map(|(n, v)| (n.into(), v.into()));
        Self(pairs.filter(|(name, _)| ours(name)).collect())
    }

    fn get(&self, name: &str) -> Option<&OsString> {
        self.0.get(OsStr::new(name))
    }

    /// Names that are no setting of this program.
    fn unknown(&self, keys: &[Key]) -> Vec<String> {
        let known: Vec<String> = keys.iter().map(Key::variable).collect();
        let names = self.0.keys().map(|n| n.to_string_lossy().into_owned());
        names.filter(|n| !known.contains(n) && !OTHER_VARIABLES.contains(&n.as_str())).collect()
    }
}

/// One key with its value and where that comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: &'static str,
    /// The value without secrets.
    pub value: String,
    /// `default`, `FILE:LINE`, `environment NAME` or `flag --name`.
    pub source: String,
}

/// What all layers come to.
#[derive(Debug, Clone)]
pub struct Resolution<S> {
    /// The settings; none if there are mistakes in single values.
    pub settings: Option<S>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Every key, also if there are mistakes elsewhere.
    pub rows: Vec<Row>,
    /// All mistakes.
    pub mistakes: Vec<Mistake>,
    /// What is odd and does no harm.
    pub notes: Vec<String>,
    /// The filter of the log, the default one if that setting is wrong.
    pub log: LogFilter,
}

impl<S> Resolution<S> {
    /// A rule that one value cannot show by itself. If it does not hold, that is a mistake of this key, at the place
    /// where its value comes from.
    #[must_use]
    pub fn require(mut self, key: &'static str, holds: impl Fn(&S) -> bool, said: &str) -> Self {
        if self.settings.as_ref().is_some_and(|settings| !holds(settings)) {
            let place = self.rows.iter().find(|r| r.key == key).map_or(DEFAULT, |r| r.source.as_str());
            let mistake =
                Mistake { place: place.to_owned(), key: Some(key.to_owned()), said: said.to_owned() };
            self.mistakes.push(mistake);
        }
        self
    }

    /// The settings, if there is no mistake.
    ///
    /// # Errors
    /// [`Mistakes`] with all of them.
    pub fn into_settings(self) -> Result<S, Mistakes> {
        self.settings.filter(|_| self.mistakes.is_empty()).ok_or(Mistakes(self.mistakes))
    }
}

/// Values of one source by their names in the layer, each with its place.
#[derive(Clone, Default)]
struct Layer {
    name: &'static str,
    texts: BTreeMap<String, String>,
    places: Arc<BTreeMap<String, String>>,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        let places = self.places.clone();
        Metadata::named(self.name).interpolater(move |_: &Profile, keys: &[&str]| {
            places.get(&keys.join(".")).cloned().unwrap_or_else(|| DEFAULT.to_owned())
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let dict: Dict = self.texts.iter().map(|(n, t)| (n.clone(), Value::from(t.as_str()))).collect();
        Ok(Profile::Default.collect(dict))
    }
}

/// The name of a key inside a layer, where a dot would mean nesting.
fn inner(key: &str) -> String {
    key.replace('.', "__")
}

/// A text and where it stands.
struct Found {
    key: &'static Key,
    text: String,
    place: String,
}

impl Layer {
    /// A layer of the values that are of their form; the others become mistakes.
    fn judged(name: &'static str, found: Vec<Found>, mistakes: &mut Vec<Mistake>) -> Self {
        let (mut texts, mut places) = (BTreeMap::new(), BTreeMap::new());
        for Found { key, text, place } in found {
            if (key.check)(&text).is_some() {
                texts.insert(inner(key.name), text);
                places.insert(inner(key.name), place);
            } else {
                let got = if key.secret { String::new() } else { format!(", not {}", quoted(&text)) };
                let said = format!("expected {}{got}", key.expected);
                mistakes.push(Mistake { place, key: Some(key.name.to_owned()), said });
            }
        }
        Self { name, texts, places: Arc::new(places) }
    }
}

/// A text of the operating system, or a mistake if it is no UTF-8.
fn utf8(key: &'static Key, text: &OsStr, place: String, mistakes: &mut Vec<Mistake>) -> Option<Found> {
    if let Some(text) = text.to_str() {
        return Some(Found { key, text: text.to_owned(), place });
    }
    let said = format!("expected {}; this is no text in UTF-8", key.expected);
    mistakes.push(Mistake { place, key: Some(key.name.to_owned()), said });
    None
}

pub(super) fn resolve<S: Settings>(flags: &Flags<S>, environment: &Environment) -> Resolution<S> {
    let mut mistakes = Vec::new();
    let file = settings_file(S::default_file(), flags.config.as_deref(), environment);
    let (entries, wrong) = file.as_deref().map(|path| file::read(path, S::KEYS)).unwrap_or_default();
    mistakes.extend(wrong);
    let found = entries.into_iter().map(|e| Found { key: e.key, text: e.text, place: e.place });
    let from_file = Layer::judged("file", found.collect(), &mut mistakes);
    // In the order in which somebody reads the file: a table of TOML knows only the names' order.
    let line = |m: &Mistake| m.place.rsplit(':').next().and_then(|n| n.parse::<usize>().ok());
    mistakes.sort_by_key(line);

    let mut found = Vec::new();
    for key in S::KEYS {
        let name = key.variable();
        if let Some(text) = environment.get(&name) {
            found.extend(utf8(key, text, format!("environment {name}"), &mut mistakes));
        }
    }
    let from_environment = Layer::judged("environment", found, &mut mistakes);

    let mut found = Vec::new();
    for (key, text) in S::KEYS.iter().filter_map(|k| Some((k, flags.given.get(k.name)?))) {
        found.extend(utf8(key, text, format!("flag --{}", key.flag()), &mut mistakes));
    }
    let from_flags = Layer::judged("flags", found, &mut mistakes);

    let texts = S::KEYS.iter().map(|k| (inner(k.name), k.default.to_owned())).collect();
    let defaults = Layer { name: DEFAULT, texts, ..Layer::default() };
    let merged = Figment::from(defaults).merge(from_file).merge(from_environment).merge(from_flags);
    finish(&merged, file, mistakes, environment)
}

fn finish<S: Settings>(
    merged: &Figment,
    file: Option<PathBuf>,
    mistakes: Vec<Mistake>,
    environment: &Environment,
) -> Resolution<S> {
    let text = |key: &str| {
        let value = merged.find_value(&inner(key)).ok();
        value.and_then(Value::into_string).unwrap_or_default()
    };
    let row = |key: &Key| {
        let metadata = merged.find_metadata(&inner(key.name));
        let source = metadata.map(|m| m.interpolate(&Profile::Default, &[inner(key.name)]));
        let value = (key.check)(&text(key.name)).unwrap_or_default();
        Row { key: key.name, value, source: source.unwrap_or_else(|| DEFAULT.to_owned()) }
    };
    let notes = environment.unknown(S::KEYS).into_iter().map(|name| {
        let key = name.strip_prefix(PREFIX).unwrap_or(&name).replace("__", ".");
        format!("environment {name}: {}", file::unknown(&key, S::KEYS))
    });
    let log = S::KEYS.iter().find(|k| k.name == "log").map(|k| text(k.name));
    Resolution {
        settings: if mistakes.is_empty() { S::build(text) } else { None },
        file,
        rows: S::KEYS.iter().map(row).collect(),
        mistakes,
        notes: notes.collect(),
        log: log.and_then(|l| super::Setting::read(&l)).unwrap_or_default(),
    }
}

/// The file that is named, or the default one if it is there. An empty name means no file.
fn settings_file(default: String, flag: Option<&OsStr>, environment: &Environment) -> Option<PathBuf> {
    let named = flag.or_else(|| environment.get("JINBAN_CONFIG").map(OsString::as_os_str));
    match named {
        Some(name) if name.is_empty() => None,
        Some(name) => Some(PathBuf::from(name)),
        None => Path::new(&default).exists().then(|| PathBuf::from(default)),
    }
}
