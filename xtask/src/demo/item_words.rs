//! What an item is called on the screens, from its file in the catalogue.
//!
//! Refuses to know the catalogue's format beyond names: the terminal's own loader checks it.
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Names of an item.
#[derive(Debug, PartialEq, Eq)]
pub struct ItemWords {
    /// On tiles and in lists.
    pub short_name: String,
    /// Titles of the form's pages.
    pub pages: Vec<String>,
    /// To each of the item's own situation questions the first answer that does not end the matter.
    pub situation: Vec<String>,
    choices: Vec<(String, String)>,
}

impl ItemWords {
    /// Reads `CODE.json` in a folder of items.
    ///
    /// # Errors
    /// If the file is not there or has no names.
    pub fn read(folder: &Path, code: &str) -> Result<Self> {
        let path = folder.join(format!("{code}.json"));
        let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let item: Value =
            serde_json::from_slice(&text).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&item).with_context(|| format!("{} has no names", path.display()))
    }

    fn parse(item: &Value) -> Option<Self> {
        let zh = |value: &Value| value["zh"].as_str().map(str::to_owned);
        let pages = item["form"]["pages"].as_array()?;
        let groups = pages.iter().filter_map(|page| page["groups"].as_array()).flatten();
        let fields = groups.filter_map(|group| group["fields"].as_array()).flatten();
        let choices = fields.filter_map(|field| field["choices"].as_array()).flatten();
        let choices =
            choices.filter_map(|c| Some((c["value"].as_str()?.to_owned(), zh(&c["label"])?))).collect();
        let pages = pages.iter().map(|page| zh(&page["title"])).collect::<Option<Vec<_>>>()?;
        let short_name = zh(&item["short_name"])?;
        let questions = item["situations"]["questions"].as_array().cloned().unwrap_or_default();
        let answer = |question: &Value| {
            let options = question["options"].as_array()?;
            options.iter().find(|option| option["ends_with"].is_null()).and_then(|option| zh(&option["text"]))
        };
        let situation = questions.iter().map(answer).collect::<Option<Vec<_>>>()?;
        (!pages.is_empty()).then_some(Self { short_name, pages, situation, choices })
    }

    /// What the choice at this place of all choices of the form is called.
    ///
    /// # Errors
    /// If there are not so many.
    pub fn choice(&self, place: usize) -> Result<&str> {
        let choice = self.choices.get(place).map(|(_, label)| label.as_str());
        choice.with_context(|| format!("the form has only {} choices", self.choices.len()))
    }
}

/// What the answer to the question whose matter it is says for one's own, from `situations.json`.
///
/// # Errors
/// If the file is not there or has no such question.
pub fn own_matter(path: &Path) -> Result<String> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let common: Value =
        serde_json::from_slice(&text).with_context(|| format!("cannot read {}", path.display()))?;
    let first = common["agent"]["options"][0]["text"]["zh"].as_str();
    first.map(str::to_owned).with_context(|| format!("{} asks not whose matter it is", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_titles_and_choices_are_read() {
        let item = json!({
            "short_name": { "zh": "short" },
            "situations": { "questions": [ { "options": [
                { "text": { "zh": "no" }, "ends_with": {} }, { "text": { "zh": "yes" } }
            ] } ] },
            "form": { "pages": [
                { "title": { "zh": "one" }, "groups": [ { "fields": [ { "key": "a" } ] } ] },
                { "title": { "zh": "two" }, "groups": [ { "fields": [
                    { "choices": [ { "value": "x", "label": { "zh": "X" } }, { "value": "y", "label": { "zh": "Y" } } ] }
                ] } ] },
            ] },
        });
        let words = ItemWords::parse(&item).unwrap();
        assert_eq!(words.situation, ["yes"]);
        assert_eq!((words.short_name.as_str(), words.pages.len()), ("short", 2));
        assert_eq!((words.choice(1).unwrap(), words.choice(2).is_err()), ("Y", true));
        assert_eq!(ItemWords::parse(&json!({ "short_name": { "zh": "s" }, "form": { "pages": [] } })), None);
    }
}
