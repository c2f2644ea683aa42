//! What the rules of the catalogue say of a draft, at its fields and in the words of the console.
//!
//! The rules speak English, for tools; what editors meet often is said in Chinese here, everything else as it comes.
use domain::catalogue::Review;
use domain::ids::ItemCode;

use super::parts::{Field, Part, owner_of};
use super::view::W;

/// What the rules begin to say, and the words for it under `rule`.
const KNOWN: [(&str, &str); 16] = [
    ("must not be empty", "empty"),
    ("holds the hidden sign", "hidden"),
    ("holds a control character", "hidden"),
    ("the promised time is longer", "promise"),
    ("stands twice", "twice"),
    ("a sensitive matter needs", "neutral"),
    ("at least one", "at_least_one"),
    ("`who` and `how` need", "who_and_how"),
    ("must be syllables", "syllables"),
    ("there is no English", "no_english"),
    ("there is no life event", "no_life_event"),
    ("what is offered instead", "instead"),
    ("at most 10 lines", "ten_lines"),
    ("too long", "too_long"),
    ("there is no item or bundle", "no_item"),
    ("at most", "at_most"),
];

/// Said somewhere inside, with what it names.
const NAMING: [(&str, &str); 5] = [
    ("leads to", "taken"),
    ("is the name of", "taken"),
    ("is the official name of", "taken"),
    ("sounds like", "sounds"),
    ("stands in phrases.json", "phrase"),
];

/// Something that a rule says.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// The part and field that it is about, if it is one of the item.
    pub(super) owner: Option<(&'static Part, &'static Field)>,
    /// What it says.
    pub(super) text: String,
}

/// What the rules say of an item.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    /// What must be mended before a checker sees it.
    pub(super) errors: Vec<Finding>,
    /// What looks wrong.
    pub(super) warnings: Vec<Finding>,
}

impl Findings {
    /// Takes a review apart. `form` is the form's text as the page shows it: what is wrong in it is told with its line.
    pub(super) fn of(review: Review, code: &ItemCode, form: &str) -> Self {
        let finding = |item: &str, field: &str, reason: &str| {
            let own = item == code.as_str();
            let line = field.strip_prefix("form.").filter(|_| own).and_then(|key| line_of(form, key));
            let line = line.map(|n| W.number("rule.line", n)).unwrap_or_default();
            let text = line + &said(field, reason);
            let text = if own { text } else { format!("{item}: {text}") };
            Finding { owner: owner_of(field).filter(|_| own), text }
        };
        Self {
            errors: review.errors.iter().map(|e| finding(&e.item, &e.field, &e.reason)).collect(),
            warnings: review.warnings.iter().map(|w| finding(&w.item, &w.field, &w.reason)).collect(),
        }
    }

    /// What stands beside a field: what must be mended, and what looks wrong.
    pub(super) fn at(&self, path: &str) -> [Vec<String>; 2] {
        [&self.errors, &self.warnings].map(|all| {
            let here = all.iter().filter(|f| f.owner.is_some_and(|(_, field)| field.path == path));
            here.map(|f| f.text.clone()).collect()
        })
    }
}

/// The line, from 1, on which a form's text names a field by its key; the property, if no page does.
fn line_of(form: &str, key: &str) -> Option<usize> {
    let (asked, named) = (format!("\"key\": \"{key}\""), format!("\"{key}\":"));
    let line = |words: &str| form.lines().position(|line| line.contains(words)).map(|at| at + 1);
    line(&asked).or_else(|| line(&named))
}

/// A reason in the console's words. What it names, in backquotes, is told with it.
pub(super) fn said(field: &str, reason: &str) -> String {
    let known = KNOWN.iter().find(|(begin, _)| reason.starts_with(begin));
    let known = known.or_else(|| NAMING.iter().find(|(inside, _)| reason.contains(inside)));
    let Some((_, key)) = known else { return format!("{field}: {reason}") };
    let named: Vec<&str> = reason.split('`').skip(1).step_by(2).collect();
    let (what, other) = (named.first().copied().unwrap_or(""), named.last().copied().unwrap_or(""));
    let number: String = reason.chars().filter(char::is_ascii_digit).collect();
    let part = field.strip_prefix("form.").map(|rest| format!("{rest}: ")).unwrap_or_default();
    part + &W.fill(&format!("rule.{key}"), &[("what", what), ("other", other), ("n", &number)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said_in_chinese_with_what_it_names() {
        let table = [
            ("synonyms[3]", "`社保卡` leads to `hrss.a` already", "社保卡"),
            ("promised", "the promised time is longer than the legal one", "法定"),
            ("short_name.zh", "at most 8 characters", "8"),
        ];
        for (field, reason, wanted) in table {
            let text = said(field, reason);
            assert!(text.contains(wanted) && !text.contains("rule."), "{text}");
        }
        assert_eq!(said("form.properties.x", "odd"), "form.properties.x: odd");
        let form = "{\n \"phone\": {},\n \"key\": \"phone\",\n \"city\": {}\n}";
        assert_eq!(["phone", "city", "none"].map(|key| line_of(form, key)), [Some(3), Some(4), None]);
    }
}
