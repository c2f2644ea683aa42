//! How the terminal will show an item: its guide page and its form, drawn from an item that need not be published.
//!
//! Refuses to be the terminal: it says the same words in the same order, not in the same places.
use std::collections::BTreeMap;

use domain::catalogue::Region;
use domain::date::CivilDate;
use domain::form::{Facts, Form};
use domain::item::{Item, MaterialSource, Period, PeriodUnit};
use domain::text::{Language, Text};

use super::form_drawing::draw_pages;
use super::item_editor::typed;
use crate::words::Words;

/// Stands for the promised time in the words about what happens afterwards.
const PROMISED: &str = "{promised}";

/// A guide page as it is drawn.
pub(super) struct GuidePreview {
    /// Its words are in this language.
    pub(super) w: Words,
    /// Text is large, as for old people.
    pub(super) large: bool,
    pub(super) title: String,
    pub(super) official: String,
    pub(super) one_line: String,
    pub(super) facts: Vec<(String, String)>,
    pub(super) who: Vec<String>,
    pub(super) materials: Vec<(String, String)>,
    pub(super) how: Vec<String>,
    pub(super) after: String,
    pub(super) mistakes: Vec<String>,
    pub(super) offline: String,
    pub(super) questions: Vec<(String, Vec<String>)>,
    /// The fields of its form on all pages, or why there are none: trusted HTML.
    pub(super) form: Result<String, String>,
}

/// Draws an item.
pub(super) fn preview(
    (item, regions): (&Item, &BTreeMap<String, Region>),
    (language, large): (Language, bool),
    today: CivilDate,
) -> GuidePreview {
    let w = Words(language);
    let say = |text: &Text| text.get(language).to_owned();
    let all = |texts: &[Text]| texts.iter().map(say).collect::<Vec<_>>();
    let guide = &item.guide;
    let questions = item.situations.questions.iter();
    GuidePreview {
        w,
        large,
        title: say(item.neutral_title.as_ref().filter(|_| item.sensitive).unwrap_or(&item.short_name)),
        official: say(&item.name),
        one_line: say(&guide.one_line),
        facts: facts(item, w),
        who: all(&guide.who),
        materials: item
            .materials
            .iter()
            .map(|m| (say(&m.name), w.of("choice", &format!("source.{}", source(m.source)))))
            .collect(),
        how: all(&guide.how),
        after: say(&guide.after).replace(PROMISED, &period(w, item.promised)),
        mistakes: all(&guide.common_mistakes),
        offline: say(&guide.offline_note),
        questions: questions
            .map(|q| (say(&q.text), q.options.iter().map(|o| say(&o.text)).collect()))
            .collect(),
        form: drawn(item, regions, (language, today)),
    }
}

fn facts(item: &Item, w: Words) -> Vec<(String, String)> {
    let guide = &item.guide;
    let minutes = w.fill("preview.minutes", &[("n", &guide.minutes.to_string())]);
    let mut fee = match guide.fee_fen {
        0 => w.t("preview.free").to_owned(),
        fen => w.fill("preview.yuan", &[("n", &typed::yuan(fen))]),
    };
    if let Some(note) = &guide.fee_note {
        fee = format!("{fee} · {}", note.get(w.0));
    }
    if guide.fee_unsure {
        fee = format!("{fee} · {}", w.t("preview.unsure"));
    }
    let named = |key: &str, value: String| (w.of("preview", key), value);
    vec![
        named("time_here", minutes),
        named("promised", period(w, item.promised)),
        named("legal", period(w, item.legal)),
        named("fee", fee),
    ]
}

/// A length of time in words.
pub(super) fn period(w: Words, period: Period) -> String {
    let unit = match period.unit {
        PeriodUnit::Minute => "minute",
        PeriodUnit::WorkingDay => "working_day",
        PeriodUnit::NaturalDay => "natural_day",
    };
    match period.tenths {
        0 => w.t("preview.at_once").to_owned(),
        tenths => format!("{} {}", typed::tenths(tenths.into()), w.of("choice", &format!("unit.{unit}"))),
    }
}

fn source(source: MaterialSource) -> &'static str {
    match source {
        MaterialSource::Card => "card",
        MaterialSource::Shared => "shared",
        MaterialSource::Bring => "bring",
        MaterialSource::Sign => "sign",
        MaterialSource::Promise => "promise",
    }
}

/// The form as somebody sees it who has answered nothing yet; empty if it asks nothing.
fn drawn(
    item: &Item,
    regions: &BTreeMap<String, Region>,
    (language, today): (Language, CivilDate),
) -> Result<String, String> {
    let form = Form::compile(&item.form).map_err(|error| format!("{}: {}", error.field, error.reason))?;
    let facts = Facts { captures: true, ..Facts::on(today) };
    draw_pages((&form, regions), &facts, language)
        .map(|html| html.trim().to_owned())
        .map_err(|e| e.to_string())
}
