//! Two people changed the same part: both contents side by side, and a choice for each field that differs.
use askama::Template;
use domain::ids::ItemCode;

use super::parts::{Field, Kind, Part};
use super::typed::{Typed, spread};
use super::view::{W, field_label};
use super::{Bench, is_of};
use crate::error::ServiceError;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::people::name_of;
use crate::pages::view as words;
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// What is shown to whoever came second.
#[derive(Template)]
#[template(path = "item_conflict.html")]
pub(super) struct ConflictPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    code: String,
    title: String,
    part: &'static str,
    /// The version that is stored now.
    version: u64,
    /// Who saved it and when; or that the draft is gone.
    by: String,
    fields: Vec<Both>,
    /// What was typed, to be sent again.
    hidden: Vec<(String, String)>,
}

/// A field with both contents.
struct Both {
    path: &'static str,
    label: String,
    mine: Vec<String>,
    theirs: Vec<String>,
}

pub(super) fn draw(
    tx: &mut Tx<'_>,
    (app, caller): (&App, &Caller),
    (bench, code): (&Bench, &ItemCode),
    (part, mine): (&'static Part, &Typed),
) -> Result<ConflictPage, ServiceError> {
    let now_ms = app.centre.now_ms();
    let theirs = spread(part, &bench.content);
    let by = match &bench.draft {
        Some(draft) => {
            let name = name_of(tx, &draft.editor)?;
            W.fill("conflict.by", &[("who", &name), ("when", &words::time(draft.changed_at_ms, now_ms))])
        }
        None => W.t("conflict.gone").to_owned(),
    };
    let fields = part.fields.iter().filter_map(|field| {
        let (mine, theirs) = (lines(field, mine), lines(field, &theirs));
        (mine != theirs).then(|| Both { path: field.path, label: field_label(field.path), mine, theirs })
    });
    Ok(ConflictPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::Items)?,
        sample: sample(&bench.catalogue),
        code: code.to_string(),
        title: bench.catalogue.items.get(code).map(|i| i.short_name.zh.clone()).unwrap_or_default(),
        part: part.name,
        version: bench.seen(),
        by,
        fields: fields.collect(),
        hidden: mine.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
    })
}

/// A field as lines of text.
fn lines(field: &Field, typed: &Typed) -> Vec<String> {
    let of_field = || typed.iter().filter(|(name, _)| is_of(field.path, name));
    match field.kind {
        Kind::Json { .. } => of_field().flat_map(|(_, text)| text.lines().map(str::to_owned)).collect(),
        Kind::Flag => vec![W.t(if of_field().next().is_some() { "edit.yes" } else { "edit.no" }).to_owned()],
        Kind::Set(group, _) => of_field()
            .filter_map(|(name, _)| name.rsplit_once('.'))
            .map(|(_, value)| W.of("choice", &format!("{group}.{value}")))
            .collect(),
        Kind::LifeEvents => {
            of_field().filter_map(|(name, _)| name.rsplit_once('.')).map(|(_, id)| id.to_owned()).collect()
        }
        Kind::Choice(group, _) => {
            of_field().map(|(_, value)| W.of("choice", &format!("{group}.{value}"))).collect()
        }
        Kind::Period => {
            let cell = |name: &str| typed.get(&format!("{}.{name}", field.path)).cloned().unwrap_or_default();
            vec![format!("{} {}", cell("value"), W.of("choice", &format!("unit.{}", cell("unit"))))]
        }
        kind if kind.is_list() => (0..super::typed::row_count(typed, field.path))
            .map(|at| {
                let cell = |column: &&str| {
                    let text = typed.get(&format!("{}.{at}.{column}", field.path))?;
                    let of_choice = ["source", "certainty"].contains(column);
                    Some(if of_choice { W.of("choice", &format!("{column}.{text}")) } else { text.clone() })
                };
                kind.columns().iter().filter_map(cell).collect::<Vec<_>>().join(" · ")
            })
            .collect(),
        _ => of_field().map(|(_, text)| text.clone()).filter(|text| !text.is_empty()).collect(),
    }
}
