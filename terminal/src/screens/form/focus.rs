//! What has the attention on a form page, written into [`Session::focus`](crate::model::Session): a field's key,
//! and after a slash which part of its editor is open.
//!
//! So pickers and pads keep no state of their own, and nothing is left when the session ends. Refuses to hold
//! answers: a region's list or the zeros after a decimal point are no personal data.
use crate::command::Command;

/// Which part of a field's editor is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part<'a> {
    /// Whatever the field needs.
    #[default]
    Whole,
    /// Only brought onto the screen: no editor.
    Seen,
    /// The editor that opens by a tap only: letter keys of a text, steppers of a month.
    Keys,
    /// The words of an address, with letter keys.
    Detail,
    /// A list of regions (`None`: the provinces) and its page.
    Region(Option<&'a str>, usize),
    /// A page of choices.
    Page(usize),
    /// A number was typed with a point and so many zeros that the stored number does not show.
    Tail(usize),
}

/// A field and the part of its editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Focus<'a> {
    /// Key of the field.
    pub key: &'a str,
    /// Part of its editor.
    pub part: Part<'a>,
}

impl<'a> Focus<'a> {
    /// Reads a focus.
    pub fn read(text: &'a str) -> Self {
        let Some((key, rest)) = text.split_once('/') else { return Self { key: text, part: Part::Whole } };
        let mut words = rest.split('/');
        let part = match (words.next(), words.next(), words.next()) {
            (Some("seen"), ..) => Part::Seen,
            (Some("keys"), ..) => Part::Keys,
            (Some("detail"), ..) => Part::Detail,
            (Some("region"), Some("all"), page) => Part::Region(None, number(page)),
            (Some("region"), Some(list), page) => Part::Region(Some(list), number(page)),
            (Some("page"), page, _) => Part::Page(number(page)),
            (Some("tail"), zeros, _) => Part::Tail(number(zeros)),
            _ => Part::Whole,
        };
        Self { key, part }
    }

    /// The command that moves the focus here.
    pub fn command(&self) -> Command {
        let key = self.key;
        Command::Focus(Some(match self.part {
            Part::Whole => key.to_owned(),
            Part::Seen => format!("{key}/seen"),
            Part::Keys => format!("{key}/keys"),
            Part::Detail => format!("{key}/detail"),
            Part::Region(list, page) => format!("{key}/region/{}/{page}", list.unwrap_or("all")),
            Part::Page(page) => format!("{key}/page/{page}"),
            Part::Tail(zeros) => format!("{key}/tail/{zeros}"),
        }))
    }
}

/// The command that moves the focus to a part of a field.
pub fn focus(key: &str, part: Part<'_>) -> Command {
    Focus { key, part }.command()
}

fn number(word: Option<&str>) -> usize {
    word.and_then(|w| w.parse().ok()).unwrap_or(0).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_focus_comes_back_as_it_was_written() {
        let parts = [
            Part::Whole,
            Part::Seen,
            Part::Keys,
            Part::Detail,
            Part::Region(None, 2),
            Part::Region(Some("630100"), 0),
            Part::Page(3),
            Part::Tail(0),
        ];
        for part in parts {
            let Command::Focus(Some(text)) = focus("phone", part) else { panic!("a focus") };
            assert_eq!(Focus::read(&text), Focus { key: "phone", part });
        }
        assert_eq!(Focus::read("phone/what/9").part, Part::Whole);
        assert_eq!(Focus::read("phone/page/-1").part, Part::Page(0));
    }
}
