//! Questions about the situation as part of a form: what the terminal asks one by one stands here on one page.
//!
//! Answers travel under `_s.QUESTION`; where several may be chosen, none is an answer too and travels as `-`. Refuses to
//! know what they mean: `domain::situation` does.
use std::collections::BTreeSet;

use askama::Template;
use domain::catalogue::{Catalogue, Entry};
use domain::situation::{Resolution, SituationAnswers, questions};
use domain::text::Language;

use super::in_query;
use crate::words::Words;

/// What the names of the answers begin with.
const PREFIX: &str = "_s.";
/// "None of them", where several may be chosen. No id of an option is written so.
const NONE: &str = "-";
/// Answers that are looked at, at most.
const MOST: usize = 200;

/// The answers among what a form or an address sent.
pub fn read<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> SituationAnswers {
    let mut answers = SituationAnswers::new();
    let given = pairs.into_iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value)));
    for (question, option) in given.filter(|(_, option)| !option.is_empty()).take(MOST) {
        let chosen = answers.entry(question.to_owned()).or_default();
        if option != NONE {
            chosen.insert(option.to_owned());
        }
    }
    answers
}

/// Answers as they stand in an address: `&_s.QUESTION=OPTION` for each.
pub fn in_address(answers: &SituationAnswers) -> String {
    let pair = |question: &str, id: &str| format!("&{PREFIX}{}={}", in_query(question), in_query(id));
    let of = |(question, ids): (&String, &BTreeSet<String>)| match ids.is_empty() {
        true => pair(question, NONE),
        false => ids.iter().map(|id| pair(question, id)).collect(),
    };
    answers.iter().map(of).collect()
}

#[derive(Template)]
#[template(path = "situation_form.html")]
struct Questions {
    w: Words,
    open: bool,
    questions: Vec<QuestionView>,
    notes: Vec<(&'static str, String)>,
}

struct QuestionView {
    id: String,
    text: String,
    multi: bool,
    answered: bool,
    none: bool,
    options: Vec<(String, String, bool)>,
}

/// The questions of an item or bundle with their answers, and what the answers lead to, unfolded or not; empty where
/// nothing is asked.
///
/// # Errors
/// [`askama::Error`] if the template fails.
pub fn draw(
    (catalogue, entry): (&Catalogue, Entry<'_>),
    answers: &SituationAnswers,
    resolution: &Resolution<'_>,
    (language, open): (Language, bool),
) -> Result<String, askama::Error> {
    let asked = questions(catalogue, entry);
    if asked.is_empty() {
        return Ok(String::new());
    }
    let views = asked.into_iter().map(|question| {
        let chosen = answers.get(&question.id);
        let options = question.options.iter().map(|option| {
            let is = chosen.is_some_and(|chosen| chosen.contains(&option.id));
            (option.id.clone(), option.text.get(language).to_owned(), is)
        });
        QuestionView {
            id: question.id.clone(),
            text: question.text.get(language).to_owned(),
            multi: question.multi,
            answered: chosen.is_some(),
            none: chosen.is_some_and(BTreeSet::is_empty),
            options: options.collect(),
        }
    });
    let w = Words(language);
    Questions { w, open, questions: views.collect(), notes: notes(w, resolution) }.render()
}

/// What ends the matter, what is left, and answers that name nothing.
fn notes(w: Words, resolution: &Resolution<'_>) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    if let Some(ending) = resolution.ended {
        let (message, way) = (ending.message.get(w.0), ending.way.get(w.0));
        notes.push(("warn", w.fill("situation.ends", &[("message", message), ("way", way)])));
    }
    if let Some(text) = resolution.nothing_left {
        notes.push(("warn", w.fill("situation.nothing_left", &[("message", text.get(w.0))])));
    }
    if !resolution.refused.is_empty() {
        notes.push(("bad", w.fill("situation.refused", &[("ids", &resolution.refused.join(", "))])));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_are_taken() {
        let sent = [("_s.home", "own"), ("_s.who", "a"), ("_s.who", "b&c"), ("_s.none", ""), ("home", "x")];
        let options = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let wanted = [("home".to_owned(), options(&["own"])), ("who".to_owned(), options(&["a", "b&c"]))];
        assert_eq!(read(sent), SituationAnswers::from(wanted));
    }

    #[test]
    fn none_of_several_is_an_answer_and_all_read_back_from_an_address() {
        let some = ["a", "b&c"].map(str::to_owned).into();
        let answers =
            SituationAnswers::from([("extra".to_owned(), BTreeSet::new()), ("who".to_owned(), some)]);
        let address = in_address(&answers);
        assert_eq!(address, "&_s.extra=-&_s.who=a&_s.who=b%26c");
        assert_eq!(read([("_s.extra", "-"), ("_s.who", "a"), ("_s.who", "b&c")]), answers);
        assert_eq!(read([("_s.extra", "-"), ("_s.extra", "bus")])["extra"].len(), 1, "what is chosen counts");
    }
}
