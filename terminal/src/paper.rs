//! What stands on paper: the words of a slip in order, and the fonts that they are drawn with.
//!
//! Refuses names, ID numbers and bad news: a paper lies open in a hall. That a case was returned is on the screen of the
//! person whose card was read, never here.
use std::path::Path;

use documents::{Bitmap, DocumentError, Fact, Paper, RollWidth, Typeface};
use domain::catalogue::{Catalogue, Station};
use domain::date::{CivilDate, china_clock};
use domain::text::Language;

use crate::fonts::{self, FontChoice, FontError};
use crate::promise::after;
use crate::store::SlipToPrint;
use crate::words::{Words, WordsError};

/// Nothing can be printed here.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The words cannot be read.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// The fonts cannot be read.
    #[error(transparent)]
    Fonts(#[from] FontError),
}

/// Makes papers out of slips.
pub struct PaperMaker {
    words: Words,
    typeface: Typeface,
}

/// What a slip says beside itself.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// Names of items.
    pub catalogue: &'a Catalogue,
    /// Where it is printed; none before enrolment.
    pub station: Option<&'a Station>,
    /// In which language.
    pub language: Language,
    /// When, milliseconds since 1970.
    pub now_ms: i64,
}

impl PaperMaker {
    /// Loads words and maps fonts.
    ///
    /// # Errors
    /// [`PaperError`], naming the file.
    pub fn load(assets: &Path, choice: FontChoice) -> Result<Self, PaperError> {
        Ok(Self { words: Words::load(assets)?, typeface: fonts::typeface(assets, choice)? })
    }

    /// The words of a slip.
    pub fn slip(&self, slip: &SlipToPrint, around: Around<'_>) -> Paper {
        let say = |key: &str| self.words.get(around.language, key).to_owned();
        let entry = around.catalogue.entry(&slip.item);
        let title = entry.map(|entry| entry.title().get(around.language).to_owned());
        let corrected = slip
            .corrected_from
            .as_ref()
            .map(|old| self.words.fill(around.language, "slip.corrected", &[("number", old.as_str())]));
        let mut next: Vec<String> =
            entry.map(|e| after(&self.words, around.language, e)).into_iter().collect();
        if slip.marks.delivered_ms.is_none() {
            next.push(say("slip.no_second_trip"));
        }
        next.push(say("paper.ask"));
        next.retain(|words| !words.is_empty());
        let sample = around.catalogue.data_label != "official"
            || around.station.is_some_and(|station| station.data_label != "official");
        Paper {
            title: say("paper.title"),
            sample: sample.then(|| say("paper.sample")),
            number_caption: say("slip.number"),
            number: slip.number.groups().map(str::to_owned).to_vec(),
            number_note: corrected,
            item: title.unwrap_or_else(|| slip.item.to_string()),
            facts: self.facts(slip, around),
            next,
            code: slip.qr_url.clone(),
            code_notes: vec![say("slip.scan"), say("slip.no_personal_data")],
            foot: self.words.fill(around.language, "paper.printed_at", &[("time", &moment(around.now_ms))]),
            language: if around.language == Language::En { "en" } else { "zh-CN" }.to_owned(),
        }
    }

    /// What was reached and when, and where this is.
    fn facts(&self, slip: &SlipToPrint, around: Around<'_>) -> Vec<Fact> {
        let say = |key: &str| self.words.get(around.language, key).to_owned();
        let reached = [
            ("slip.mark.saved", slip.marks.saved_ms),
            ("slip.mark.delivered", slip.marks.delivered_ms),
            ("slip.mark.accepted", slip.marks.accepted_ms),
            ("slip.mark.completed", slip.marks.completed_ms),
        ];
        let mut facts: Vec<Fact> = reached
            .into_iter()
            .filter_map(|(key, ms)| Some(Fact { caption: say(key), words: moment(ms?) }))
            .collect();
        if let Some(station) = around.station {
            facts.push(Fact {
                caption: say("slip.station"),
                words: station.name.get(around.language).to_owned(),
            });
            facts.push(Fact {
                caption: say("paper.address"),
                words: station.address.get(around.language).to_owned(),
            });
        }
        facts
    }

    /// A page that says nothing but that the printer prints: every kind of thing that stands on a slip.
    pub fn test_page(&self, now_ms: i64) -> Paper {
        let say = |key: &str| self.words.get(Language::ZhCn, key).to_owned();
        Paper {
            title: say("paper.test"),
            sample: Some(say("paper.sample")),
            number_caption: say("slip.number"),
            number: ["TEST", "1234", "5678", "90AB"].map(str::to_owned).to_vec(),
            number_note: None,
            item: say("paper.test_item"),
            facts: Vec::new(),
            next: vec![say("paper.test_note")],
            code: "https://example.invalid/slips/TEST1234567890AB?d=0123456789abcdef".to_owned(),
            code_notes: vec![say("slip.no_personal_data")],
            foot: self.words.fill(Language::ZhCn, "paper.printed_at", &[("time", &moment(now_ms))]),
            language: "zh-CN".to_owned(),
        }
    }

    /// A paper as dots for a roll.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn dots(&self, paper: &Paper, width: RollWidth) -> Result<Bitmap, DocumentError> {
        documents::receipt(paper, &self.typeface, width)
    }

    /// A paper as an A4 page.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn page(&self, paper: &Paper) -> Result<Vec<u8>, DocumentError> {
        documents::acknowledgement(paper, &self.typeface)
    }
}

/// `2026-11-24 14:05`, in China.
fn moment(ms: i64) -> String {
    let (hour, minute) = china_clock(ms);
    format!("{} {hour:02}:{minute:02}", CivilDate::in_china(ms))
}
