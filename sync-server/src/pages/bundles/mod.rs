//! `/catalogue/bundles`: all bundles, and one of them with the graph of its steps and a dry run on sample cases or any answers.
mod dry_run;
mod duties;
mod graph;
mod sample_cases;
mod wrap;

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use domain::bundle::{Bundle, StepKind};
use domain::catalogue::{Catalogue, Entry, step_faults};
use domain::date::CivilDate;
use domain::ids::ItemCode;
use domain::item::{Period, PeriodUnit};
use domain::situation::resolve;
use domain::text::Language;

pub use duties::{DutyView, duties};
pub use graph::{BOX_WIDTH, Boxed, Edge, Graph, Node, layout};
pub use sample_cases::{SampleView, views};

use super::frame::{Frame, Here, frame, sample};
use super::{Page, in_address, render, situation_form, view};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::words::Words;
pub(super) use dry_run::said;
use dry_run::{DryRun, dry_run};

const W: Words = Words(Language::ZhCn);
/// Bundles that are listed, at most.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "bundles.html")]
struct BundlesPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    count: String,
    rows: Vec<RowView>,
}

struct RowView {
    code: String,
    name: String,
    lead: String,
    steps: usize,
    departments: usize,
    questions: usize,
    figures: FiguresView,
    withdrawn: bool,
}

/// Figures before and after, as the catalogue gives them.
struct FiguresView {
    time: (String, String),
    materials: (String, String),
    visits: (String, String),
    source: String,
    source_note: String,
}

/// The list.
pub async fn bundles(State(app): State<App>, caller: Caller) -> Page {
    let centre = app.centre.clone();
    let page = blocking(move || {
        let now_ms = centre.now_ms();
        centre.read(|tx| {
            let volume = centre.context().shelf.newest(tx)?;
            let all = volume.iter().flat_map(|v| v.catalogue.bundles.values());
            let rows: Vec<RowView> = all.take(MOST).map(row).collect();
            Ok::<_, ServiceError>(BundlesPage {
                w: W,
                frame: frame(tx, &caller, now_ms, Here::Bundles)?,
                sample: volume.as_deref().and_then(|v| sample(&v.catalogue)),
                count: W.fill("bundles.count", &[("n", &rows.len().to_string())]),
                rows,
            })
        })
    })
    .await?;
    render(&page)
}

fn row(bundle: &Bundle) -> RowView {
    RowView {
        code: bundle.code.to_string(),
        name: bundle.short_name.get(W.0).to_owned(),
        lead: bundle.lead_department.to_string(),
        steps: bundle.steps.len(),
        departments: bundle.departments.len(),
        questions: bundle.situations.questions.len(),
        figures: figures(bundle),
        withdrawn: bundle.withdrawn.is_some(),
    }
}

fn figures(bundle: &Bundle) -> FiguresView {
    let figures = &bundle.figures;
    let number = |name: &str| figures.get(name).and_then(serde_json::Value::as_u64);
    let said = |name: &str| number(name).map_or_else(|| "—".to_owned(), |n| n.to_string());
    let unit = match figures.get("time_unit").and_then(serde_json::Value::as_str) {
        Some("minute") => PeriodUnit::Minute,
        Some("natural_day") => PeriodUnit::NaturalDay,
        _ => PeriodUnit::WorkingDay,
    };
    let time = |name: &str| match number(name).and_then(|n| u32::try_from(n).ok()) {
        Some(tenths) => view::period(W, Period { tenths, unit }),
        None => "—".to_owned(),
    };
    let source = figures.get("source").and_then(serde_json::Value::as_str).unwrap_or("—");
    let known = matches!(source, "sample" | "published");
    FiguresView {
        time: (time("time_before_tenths"), time("time_after_tenths")),
        materials: (said("materials_before"), said("materials_after")),
        visits: (said("visits_before"), said("visits_after")),
        source: W.of("bundles_source", if known { source } else { "other" }),
        source_note: if known { W.t("bundles.source_note").to_owned() } else { source.to_owned() },
    }
}

#[derive(Template)]
#[template(path = "bundle.html")]
struct BundlePage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    code: String,
    name: String,
    official: String,
    promised: String,
    figures: FiguresView,
    faults: Vec<String>,
    graph: Graph,
    box_width: i32,
    kinds: Vec<(&'static str, String)>,
    questions: String,
    from: String,
    action: String,
    run: DryRun,
    duties: Vec<DutyView>,
    samples: Vec<SampleView>,
    members: Vec<(String, String)>,
    results: Vec<String>,
}

/// One bundle.
pub async fn bundle(
    State(app): State<App>,
    caller: Caller,
    code: Result<Path<String>, PathRejection>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Page {
    let code: Option<ItemCode> = code.ok().and_then(|Path(code)| code.parse().ok());
    let code = code.ok_or_else(|| ServiceError::from(ProblemCode::NotFound))?;
    let pairs = in_address(query)?;
    let centre = app.centre.clone();
    let page = blocking(move || {
        let now_ms = centre.now_ms();
        let (volume, frame) = centre.read(|tx| {
            let volume = centre.context().shelf.newest(tx)?;
            Ok::<_, ServiceError>((volume, frame(tx, &caller, now_ms, Here::Bundles)?))
        })?;
        let volume = volume.ok_or(ProblemCode::NotFound)?;
        let bundle = volume.catalogue.bundles.get(&code).ok_or(ProblemCode::NotFound)?;
        let form = volume.form(&code)?.ok_or(ProblemCode::NotFound)?;
        draw((&volume.catalogue, bundle), &form, &pairs, (frame, CivilDate::in_china(now_ms)))
    })
    .await?;
    render(&page)
}

fn draw(
    (catalogue, bundle): (&Catalogue, &Bundle),
    form: &domain::form::Form,
    pairs: &[(String, String)],
    (frame, today): (Frame, CivilDate),
) -> Result<BundlePage, ServiceError> {
    let entry = Entry::Bundle(bundle);
    let answers = situation_form::read(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let resolution = resolve(catalogue, entry, &answers);
    let asked = pairs.iter().find(|(name, _)| name == "from").and_then(|(_, value)| value.parse().ok());
    let from: CivilDate = asked.unwrap_or(today);
    let drawn = |e: askama::Error| ServiceError::Inconsistent(format!("questions could not be drawn: {e}"));
    let active: Vec<&str> = resolution.steps.iter().map(|on| on.step.id.as_str()).collect();
    let members = bundle.members.iter().map(|code| {
        let name = catalogue.items.get(code).map(|item| Entry::Item(item).title().get(W.0).to_owned());
        (code.to_string(), name.unwrap_or_else(|| code.to_string()))
    });
    Ok(BundlePage {
        w: W,
        frame,
        sample: sample(catalogue),
        code: bundle.code.to_string(),
        name: bundle.short_name.get(W.0).to_owned(),
        official: bundle.name.get(W.0).to_owned(),
        promised: view::period(W, bundle.promised),
        figures: figures(bundle),
        faults: step_faults(catalogue, bundle).iter().map(|e| format!("{}: {}", e.field, e.reason)).collect(),
        graph: layout(&nodes(bundle, &active)),
        box_width: BOX_WIDTH,
        kinds: KINDS.iter().map(|kind| (class(*kind), W.of("step_kind", class(*kind)))).collect(),
        questions: situation_form::draw((catalogue, entry), &answers, &resolution, (W.0, true))
            .map_err(drawn)?,
        from: from.to_string(),
        action: format!("/catalogue/bundles/{}", super::in_query(bundle.code.as_str())),
        run: dry_run((catalogue, bundle), form, &resolution, (from, today)),
        duties: duties(bundle),
        samples: views((catalogue, bundle), &answers, from),
        members: members.collect(),
        results: bundle.results.clone(),
    })
}

/// All kinds, in the order of the legend.
const KINDS: [StepKind; 7] = [
    StepKind::Accept,
    StepKind::Share,
    StepKind::Review,
    StepKind::Pay,
    StepKind::Issue,
    StepKind::Mail,
    StepKind::Notify,
];

/// Name of a kind: key of its word and class of its colours.
fn class(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Accept => "accept",
        StepKind::Share => "share",
        StepKind::Review => "review",
        StepKind::Pay => "pay",
        StepKind::Issue => "issue",
        StepKind::Mail => "mail",
        StepKind::Notify => "notify",
    }
}

/// The steps of a bundle as they are drawn; those that are not active say so.
pub fn nodes(bundle: &Bundle, active: &[&str]) -> Vec<Node> {
    let node = |step: &domain::bundle::Step| {
        let kind = class(step.kind);
        let on = active.contains(&step.id.as_str());
        let off = (!on).then(|| W.t("bundles.off").to_owned());
        Node {
            id: step.id.clone(),
            name: step.name.get(W.0).to_owned(),
            notes: [Some(step.department.to_string()), Some(W.of("step_kind", kind)), off]
                .into_iter()
                .flatten()
                .collect(),
            class: if on { format!("k-{kind}") } else { format!("k-{kind} off-step") },
            depends: step.depends.clone(),
        }
    };
    bundle.steps.iter().map(node).collect()
}
