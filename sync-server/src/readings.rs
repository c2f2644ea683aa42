//! 读音: full pinyin and initials of the names in a catalogue's files, made where they are missing.
//!
//! One reading for each character comes from a table of the `pinyin` crate; words with other readings stand in
//! `readings.json` of the catalogue, the longest first. What a file says already stays: where it is another reading
//! than the one made here, that is told. Refuses to change a file that is no JSON; the checks tell of it.
use std::collections::BTreeMap;

use domain::catalogue::{Rule, Warning};
use pinyin::ToPinyin as _;
use serde::Serialize as _;
use serde_json::{Map, Value, json};

/// The file with words whose reading is another than that of their characters.
pub const WORDS: &str = "readings.json";

/// What was done to a catalogue's files.
#[derive(Debug, Default)]
pub struct Filled {
    /// Files that hold new readings, with all their bytes.
    pub changed: BTreeMap<String, Vec<u8>>,
    /// Readings in the files that are others than those made here.
    pub warnings: Vec<Warning>,
}

/// Makes the readings that items, bundles and phrases lack.
pub fn fill(files: &BTreeMap<String, Vec<u8>>) -> Filled {
    let words: BTreeMap<String, String> =
        files.get(WORDS).and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
    let mut filled = Filled::default();
    for (name, bytes) in files {
        let entry = name.starts_with("items/") || name.starts_with("bundles/");
        let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { continue };
        let mut names = Names { words: &words, file: name, changed: false, warnings: &mut filled.warnings };
        match &mut value {
            Value::Object(map) if entry => names.entry(map),
            Value::Object(map) if name == "phrases.json" => names.phrases(map),
            _ => continue,
        }
        if names.changed {
            filled.changed.insert(name.clone(), written(&value));
        }
    }
    filled
}

/// JSON as the files of a catalogue are written: one space for each depth, a line end at the end.
pub(crate) fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let done = value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, format));
    // Cannot fail: a value has only keys that are texts, and memory takes all bytes.
    drop(done);
    bytes.push(b'\n');
    bytes
}

struct Names<'a> {
    words: &'a BTreeMap<String, String>,
    file: &'a str,
    changed: bool,
    warnings: &'a mut Vec<Warning>,
}

impl Names<'_> {
    fn entry(&mut self, map: &mut Map<String, Value>) {
        let code = text(map.get("code")).to_owned();
        for (name, field) in [("name", "pinyin"), ("short_name", "short_pinyin")] {
            let name = text(map.get(name).and_then(|name| name.get("zh"))).to_owned();
            self.field(map, &code, field, &name);
        }
        let letters = initials(text(map.get("pinyin")));
        if text(map.get("pinyin_initials")).is_empty() && !letters.is_empty() {
            map.insert("pinyin_initials".to_owned(), letters.into());
            self.changed = true;
        }
        self.synonyms(map, &code);
    }

    /// One reading for each synonym; those that are there stay.
    fn synonyms(&mut self, map: &mut Map<String, Value>, code: &str) {
        let list = |key: &str| map.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let (synonyms, old) = (list("synonyms"), list("synonym_pinyin"));
        let mut readings = Vec::new();
        for (at, word) in synonyms.iter().enumerate() {
            let made = reading(text(Some(word)), self.words);
            let stored = text(old.get(at));
            if !stored.is_empty() && stored != made {
                self.warn(code, &format!("synonym_pinyin[{at}]"), stored, &made);
            }
            readings.push(json!(if stored.is_empty() { made.as_str() } else { stored }));
        }
        if readings != old {
            map.insert("synonym_pinyin".to_owned(), readings.into());
            self.changed = true;
        }
    }

    fn phrases(&mut self, map: &mut Map<String, Value>) {
        for (_, phrases) in map {
            for (phrase, about) in phrases.as_object_mut().into_iter().flatten() {
                let Some(about) = about.as_object_mut() else { continue };
                self.field(about, phrase, "pinyin", phrase);
            }
        }
    }

    fn field(&mut self, map: &mut Map<String, Value>, item: &str, field: &str, name: &str) {
        let made = reading(name, self.words);
        let stored = text(map.get(field)).to_owned();
        if stored.is_empty() && !made.is_empty() {
            map.insert(field.to_owned(), made.into());
            self.changed = true;
        } else if stored != made {
            self.warn(item, field, &stored, &made);
        }
    }

    fn warn(&mut self, item: &str, field: &str, stored: &str, made: &str) {
        self.warnings.push(Warning {
            rule: Rule::OtherReading,
            file: self.file.to_owned(),
            item: item.to_owned(),
            field: field.to_owned(),
            reason: format!("`{stored}` stays; `{made}` was expected"),
        });
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// First letters of the syllables.
fn initials(reading: &str) -> String {
    reading.split(' ').filter_map(|syllable| syllable.chars().next()).collect()
}

/// The reading of a name: one syllable for each character, one word for each run of Latin letters or digits, small
/// letters, `v` for ü. A character without a reading makes the whole unreadable, so that nobody finds half a name.
pub fn reading(name: &str, words: &BTreeMap<String, String>) -> String {
    let mut syllables: Vec<String> = Vec::new();
    let mut rest = name;
    let mut in_word = false;
    while let Some(sign) = rest.chars().next() {
        if let Some((word, known)) = longest(rest, words) {
            syllables.push(known.to_owned());
            rest = &rest[word.len()..];
            in_word = false;
            continue;
        }
        rest = &rest[sign.len_utf8()..];
        if sign.is_ascii_alphanumeric() {
            let letter = sign.to_ascii_lowercase();
            match syllables.last_mut().filter(|_| in_word) {
                Some(word) => word.push(letter),
                None => syllables.push(letter.to_string()),
            }
            in_word = true;
            continue;
        }
        in_word = false;
        match sign.to_pinyin() {
            Some(syllable) => syllables.push(syllable.plain().replace('ü', "v")),
            None if sign.is_alphanumeric() => return String::new(),
            None => {}
        }
    }
    syllables.join(" ")
}

/// The longest word of the table with which a text begins.
fn longest<'a>(text: &str, words: &'a BTreeMap<String, String>) -> Option<(&'a str, &'a str)> {
    let fits = words.iter().filter(|(word, _)| !word.is_empty() && text.starts_with(word.as_str()));
    fits.max_by_key(|(word, _)| word.len()).map(|(word, known)| (word.as_str(), known.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> BTreeMap<String, String> {
        [("银行", "yin hang"), ("行", "xing"), ("还清", "huan qing")]
            .map(|(word, reading)| (word.to_owned(), reading.to_owned()))
            .into()
    }

    #[test]
    fn names_are_read_by_words_first() {
        for (name, wanted) in [
            ("银行卡", "yin hang ka"),
            ("行驶证", "xing shi zheng"),
            ("贷款还清证明", "dai kuan huan qing zheng ming"),
            ("社保卡（补）换", "she bao ka bu huan"),
            ("ETC办理", "etc ban li"),
            ("绿色12通道", "lv se 12 tong dao"),
            ("", ""),
            ("（）", ""),
        ] {
            assert_eq!(reading(name, &words()), wanted, "{name}");
        }
        assert_eq!(reading("办\u{2a6d6}", &words()), reading("办\u{2a6d6}", &BTreeMap::new()));
    }

    #[test]
    fn what_is_missing_is_made_and_what_is_there_stays() {
        let item = json!({
            "code": "a.b", "name": {"zh": "银行卡"}, "short_name": {"zh": "长"}, "short_pinyin": "chang",
            "synonyms": ["还清", "卡"], "synonym_pinyin": ["hai qing"],
        });
        let phrases = json!({"shared": {"打流水": {"codes": []}}, "not_here": {}});
        let files = BTreeMap::from([
            ("items/a.b.json".to_owned(), item.to_string().into_bytes()),
            ("items/broken.json".to_owned(), b"{".to_vec()),
            ("phrases.json".to_owned(), phrases.to_string().into_bytes()),
            (WORDS.to_owned(), json!(words()).to_string().into_bytes()),
        ]);
        let filled = fill(&files);
        let item: Value = serde_json::from_slice(&filled.changed["items/a.b.json"]).expect("JSON");
        assert_eq!((&item["pinyin"], &item["pinyin_initials"]), (&json!("yin hang ka"), &json!("yhk")));
        assert_eq!(
            (&item["short_pinyin"], &item["synonym_pinyin"]),
            (&json!("chang"), &json!(["hai qing", "ka"]))
        );
        let phrases: Value = serde_json::from_slice(&filled.changed["phrases.json"]).expect("JSON");
        assert_eq!(phrases["shared"]["打流水"]["pinyin"], json!("da liu shui"));
        let told: Vec<&str> = filled.warnings.iter().map(|w| w.field.as_str()).collect();
        assert_eq!(told, ["short_pinyin", "synonym_pinyin[0]"]);
        assert_eq!(filled.changed.len(), 2);
    }
}
