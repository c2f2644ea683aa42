//! The layers of a small program's settings: who wins, what is a mistake, what is hidden.
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use clap::{Args as _, FromArgMatches as _};

use super::*;

crate::settings! {
    /// Settings of a lamp.
    struct Lamp for "lamp" {
        /// Folder of the wicks.
        wicks: PathBuf = "wicks",
        /// Where it shines.
        shine_at: Address = "127.0.0.1:1",
        /// Whether it burns.
        lit: bool = "false",
        /// Where oil comes from.
        oil: Option<Barrel> = "",
    }
}

/// A URL with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Barrel(String);

impl Setting for Barrel {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Url;
    const EXPECTED: &'static str = "oil://user@host";
    const SECRET: bool = true;

    fn read(text: &str) -> Option<Self> {
        text.starts_with("oil://").then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }

    fn shown(&self) -> String {
        redacted_url(&self.0)
    }
}

fn flags(words: &[&str]) -> Flags<Lamp> {
    let words = std::iter::once("lamp").chain(words.iter().copied()).map(OsString::from);
    let matches = Flags::<Lamp>::augment_args(clap::Command::new("lamp")).get_matches_from(words);
    Flags::from_arg_matches(&matches).expect("flags")
}

fn resolve(file: &Path, variables: &[(&str, &str)], words: &[&str]) -> Resolution<Lamp> {
    let config = format!("--config={}", file.display());
    let words: Vec<&str> = std::iter::once(config.as_str()).chain(words.iter().copied()).collect();
    flags(&words).resolve(&Environment::of(variables.iter().copied()))
}

fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("lamp.toml");
    std::fs::write(&file, bytes).expect("written");
    (dir, file)
}

fn only_mistake(resolution: &Resolution<Lamp>) -> String {
    assert_eq!(resolution.mistakes.len(), 1, "{:?}", resolution.mistakes);
    assert!(resolution.settings.is_none());
    resolution.mistakes[0].to_string()
}

#[test]
fn later_layers_win_and_each_value_names_its_source() {
    let (_dir, file) = written(b"# lamp\nwicks = 'w1'\nlit = true\nshine_at = '127.0.0.1:2'\n");
    let variables =
        [("JINBAN_WICKS", "w2"), ("JINBAN_OIL", "oil://me:s3cret@well"), ("JINBAN_SHINE_AT", "127.0.0.1:3")];
    let resolution = resolve(&file, &variables, &["--shine-at", "[::1]:3"]);
    let place = |line: usize| format!("{}:{line}", file.display());
    let rows: Vec<_> = resolution.rows.iter().map(|r| (r.key, r.value.as_str(), r.source.clone())).collect();
    assert_eq!(
        rows,
        [
            ("wicks", "w2", "environment JINBAN_WICKS".to_owned()),
            ("shine_at", "[::1]:3", "flag --shine-at".to_owned()),
            ("lit", "true", place(3)),
            ("oil", "oil://me:***@well", "environment JINBAN_OIL".to_owned()),
        ]
    );
    let settings = resolution.into_settings().expect("no mistake");
    assert_eq!(settings.oil, Some(Barrel("oil://me:s3cret@well".to_owned())));
}

#[test]
fn without_anything_there_are_the_defaults() {
    let resolution = flags(&["--config="]).resolve(&Environment::default());
    assert!(resolution.rows.iter().all(|r| r.source == "default"), "{:?}", resolution.rows);
    let lamp = resolution.into_settings().expect("no mistake");
    assert_eq!((lamp.wicks, lamp.lit, lamp.oil), (PathBuf::from("wicks"), false, None));
}

#[test]
fn settings_go_through_flags_unchanged() {
    let (_dir, file) = written(b"wicks = '-odd = folder'\nlit = true\noil = 'oil://a:b@c'");
    let settings = resolve(&file, &[], &[]).into_settings().expect("no mistake");
    let words: Vec<String> = settings.to_flags().iter().map(|w| w.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(flags(&words).resolve(&Environment::default()).into_settings(), Ok(settings));
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_was_expected() {
    let (_dir, file) = written(b"wick = 'w'\nshine_at = 8470\nlit = 'true'\n");
    let variables = [("JINBAN_SHINE_AT", "here"), ("JINBAN_OIL", "s3cret")];
    let resolution = resolve(&file, &variables, &["--lit=maybe"]);
    let said: Vec<String> = resolution.mistakes.iter().map(ToString::to_string).collect();
    let at = |line: usize| format!("{}:{line}: ", file.display());
    let wanted = [
        at(1) + "wick: no such key; did you mean `wicks`?",
        at(2) + "shine_at: expected text in quotes",
        at(3) + "lit: expected true or false without quotes, not a string",
        "environment JINBAN_SHINE_AT: shine_at: expected an IP address".to_owned(),
        "environment JINBAN_OIL: oil: expected oil://user@host".to_owned(),
        "flag --lit: lit: expected true or false, not `maybe`".to_owned(),
    ];
    for wanted in &wanted {
        assert!(said.iter().any(|s| s.starts_with(wanted)), "{wanted}\n{said:#?}");
    }
    assert_eq!(said.len(), wanted.len());
    assert!(!said.concat().contains("s3cret"), "a secret is repeated: {said:#?}");
}

#[test]
fn a_rule_that_does_not_hold_is_a_mistake_where_the_value_comes_from() {
    let resolution = flags(&["--config=", "--lit"]).resolve(&Environment::default());
    let held = resolution.clone().require("lit", |lamp| lamp.lit, "must burn");
    assert!(held.into_settings().is_ok());
    let broken = resolution.require("lit", |lamp| !lamp.lit, "must not burn");
    assert_eq!(broken.mistakes[0].to_string(), "flag --lit: lit: must not burn");
    assert!(broken.into_settings().is_err());
}

#[test]
fn odd_files_are_mistakes_that_name_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let huge = vec![b'#'; 10 << 20];
    let deep = "a = ".to_owned() + &"[".repeat(100_000);
    let table: &[(&[u8], &str)] = &[
        (b"\nwicks = 'w", ":2: this is no TOML"),
        (b"wicks = 'a'\nwicks = 'b'", "this is no TOML: duplicate key"),
        (b"wicks = 'a'\n\n\xff\xfe", "line 3 holds something else"),
        (b"\0\0\0", "this is no TOML"),
        (&huge, "larger than 256 KiB"),
        (deep.as_bytes(), "this is no TOML"),
        (b"[wicks]\na = 1", "wicks: expected text in quotes (a path), not a table"),
        (b"wicks = ['a']", "not an array"),
        (b"wicks = ''", "expected a path, not ``"),
        (b"wholly_different = 1", "no such key; there are wicks, shine_at, lit, oil"),
    ];
    for (bytes, wanted) in table {
        let file = dir.path().join("lamp.toml");
        std::fs::write(&file, bytes).expect("written");
        let resolution = resolve(&file, &[], &[]);
        let said = resolution.mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(said.contains(wanted) && said.starts_with(&file.display().to_string()), "{wanted}: {said}");
        assert!(said.len() < 4_000, "{} bytes of words", said.len());
    }
    std::fs::write(dir.path().join("empty.toml"), b"").expect("written");
    assert_eq!(resolve(&dir.path().join("empty.toml"), &[], &[]).mistakes, []);
    assert!(only_mistake(&resolve(dir.path(), &[], &[])).contains("a file is expected"));
    let missing = dir.path().join("missing.toml");
    assert!(only_mistake(&resolve(&missing, &[], &[])).contains("cannot be read"));
}

#[test]
fn bytes_that_are_no_text_are_mistakes() {
    let bytes = OsString::from_vec(vec![b'w', 0xff]);
    let resolution = flags(&["--config="]).resolve(&Environment::of([("JINBAN_WICKS", bytes)]));
    assert!(only_mistake(&resolution).contains("no text in UTF-8"));
}

#[test]
fn an_unknown_variable_is_noted_and_does_no_harm() {
    let variables = [("JINBAN_WICK", "x"), ("JINBAN_SUPERVISOR_PID", "1"), ("PATH", "/")];
    let resolution = flags(&["--config="]).resolve(&Environment::of(variables));
    assert_eq!(resolution.notes, ["environment JINBAN_WICK: no such key; did you mean `wicks`?"]);
    assert!(resolution.settings.is_some());
}

#[test]
fn the_file_named_by_the_environment_is_read_unless_a_flag_names_one() {
    let (_dir, file) = written(b"wicks = 'from file'");
    let variables = || Environment::of([("JINBAN_CONFIG", file.as_os_str())]);
    assert_eq!(flags(&[]).resolve(&variables()).rows[0].value, "from file");
    assert_eq!(flags(&["--config="]).resolve(&variables()).rows[0].value, "wicks");
}

#[test]
fn a_nested_key_is_a_table_in_the_file_and_has_two_underscores_in_the_environment() {
    const NESTED: &[Key] = &[Key { name: "oil.barrel", ..Lamp::KEYS[0] }];
    assert_eq!(
        (NESTED[0].variable().as_str(), NESTED[0].flag().as_str()),
        ("JINBAN_OIL__BARREL", "oil-barrel")
    );
    let (_dir, file) = written(b"[oil]\nbarrel = 'b'\nbarel = 'c'");
    let (entries, mistakes) = file::read(&file, NESTED);
    assert_eq!(entries.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
}

#[test]
fn what_is_shown_is_a_settings_file_again() {
    let (_dir, file) = written(b"wicks = 'quo\"te'\nlit = true\noil = 'oil://a@b'");
    let first = resolve(&file, &[], &[]);
    let (_other, again) = written(report::shown_text(&first).as_bytes());
    assert_eq!(resolve(&again, &[], &[]).settings, first.settings);
}

#[test]
fn a_wrong_value_is_repeated_without_the_password_in_it() {
    let resolution = flags(&["--config=", "--shine-at=http://me:s3cret@well/?key=s3cret"])
        .resolve(&Environment::default());
    let said = resolution.mistakes.first().map(ToString::to_string).unwrap_or_default();
    assert!(said.contains("http://me:***@well") && !said.contains("s3cret"), "{said}");
}
