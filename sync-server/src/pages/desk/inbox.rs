//! `/desk`: what waits for the caller's unit, what is due first at the top; saved queries are tabs in the address.
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use domain::case::{CaseView, StepState};
use domain::ids::{EnvelopeId, UnitId};
use serde::Deserialize;

use super::send::Strip;
use super::time::{self, DueBadge};
use super::{W, address, no_unit, state_badge, step_called};
use crate::error::ServiceError;
use crate::pages::cases::item_name;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::view::{self, Badge, Tab};
use crate::pages::{Page, in_address, read_page};
use crate::services::approval::{self, Progress};
use crate::services::cases::{self, CaseRow};
use crate::services::sessions::Caller;
use crate::services::tasks::{self, Query, Task};
use crate::services::{Context, accounts, time_left};
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// What stands in the address; what is not known is the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    list: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    was: String,
}

/// A saved query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    All,
    Mine,
    In(StepState),
    Over,
    /// Others ask for the unit's opinion.
    Opinion,
}

impl List {
    const TABS: [List; 8] = [
        Self::All,
        Self::Mine,
        Self::In(StepState::Ready),
        Self::In(StepState::Taken),
        Self::In(StepState::Consulting),
        Self::In(StepState::Supplement),
        Self::Opinion,
        Self::Over,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mine => "mine",
            Self::In(state) => state.as_str(),
            Self::Over => "over",
            Self::Opinion => "opinion",
        }
    }

    fn from_name(name: &str) -> Self {
        Self::TABS.into_iter().find(|tab| tab.name() == name).unwrap_or(Self::All)
    }

    fn address(self) -> String {
        if self == Self::All { "/desk".into() } else { format!("/desk?list={}", self.name()) }
    }

    fn query(self, caller: &Caller, now_ms: i64) -> Query {
        let mut query = Query::default();
        match self {
            Self::All => {}
            Self::Mine => query.holder = Some(caller.account.to_string()),
            Self::In(state) => query.state = Some(state),
            Self::Over => query.over_at_ms = Some(now_ms),
            Self::Opinion => query.asked = true,
        }
        query
    }
}

/// The inbox.
pub async fn inbox(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    let Some(unit) = caller.unit.clone() else { return no_unit(app, caller).await };
    read_page(app, move |tx, app, now_ms| draw(tx, app.centre.context(), &asked, (&caller, &unit, now_ms)))
        .await
}

#[derive(Template)]
#[template(path = "desk.html")]
struct InboxPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    unit: String,
    total: String,
    tabs: Vec<Tab>,
    rows: Vec<RowView>,
    is_all: bool,
    strip: Option<Strip>,
    more: Option<String>,
    first: Option<String>,
    own_address: String,
}

struct RowView {
    href: String,
    due: DueBadge,
    number: String,
    item: String,
    step: String,
    state: Badge,
    since: String,
    holder: String,
    /// Why rules left it to a person.
    why: Option<String>,
    others: Vec<Other>,
}

/// What another department does with the same case.
struct Other {
    unit: String,
    state: Badge,
}

fn draw(
    tx: &mut Tx<'_>,
    context: &Context,
    asked: &Asked,
    (caller, unit, now_ms): (&Caller, &UnitId, i64),
) -> Result<InboxPage, ServiceError> {
    let list = List::from_name(&asked.list);
    let query = Query { after: place(&asked.after), ..list.query(caller, now_ms) };
    let (found, next) = tasks::page(tx, unit, &query)?;
    let rows = rows(tx, context, (&found, unit), now_ms)?;
    let tabs = tabs(tx, unit, caller, (list, now_ms))?;
    let newest = context.shelf.newest(tx)?;
    let page = |(due_ms, id): (i64, EnvelopeId)| {
        let sign = if list == List::All { '?' } else { '&' };
        format!("{}{sign}after={due_ms}.{id}", list.address())
    };
    let total = tabs.first().map_or(0, |tab| tab.count);
    Ok(InboxPage {
        w: W,
        sample: newest.as_deref().and_then(|v| sample(&v.catalogue)),
        unit: unit.to_string(),
        total: W.number("desk.count", total),
        tabs,
        rows,
        is_all: list == List::All,
        strip: Strip::read(&asked.done, &asked.was),
        more: next.map(page),
        first: query.after.map(|_| list.address()),
        own_address: query.after.map_or_else(|| list.address(), page),
        frame: frame(tx, caller, now_ms, Here::Desk)?,
    })
}

/// A place in the list, as it stands in an address.
fn place(text: &str) -> Option<(i64, EnvelopeId)> {
    let (due_ms, id) = text.split_once('.')?;
    Some((due_ms.parse().ok()?, id.parse().ok()?))
}

fn tabs(
    tx: &mut Tx<'_>,
    unit: &UnitId,
    caller: &Caller,
    (list, now_ms): (List, i64),
) -> Result<Vec<Tab>, ServiceError> {
    let (states, over) = tasks::counts(tx, unit, now_ms)?;
    let (mine, asked) = tasks::own_counts(tx, unit, caller.account.as_str())?;
    let tab = |tab: List| {
        let count = match tab {
            List::All => states.iter().map(|(_, n)| n).sum(),
            List::Mine => mine,
            List::In(state) => states.iter().find(|(s, _)| *s == state).map_or(0, |(_, n)| *n),
            List::Over => over,
            List::Opinion => asked,
        };
        Tab {
            href: tab.address(),
            word: W.of("desk_list", tab.name()),
            count,
            alarming: tab == List::Over && count > 0,
            current: tab == list,
        }
    };
    Ok(List::TABS.into_iter().map(tab).collect())
}

/// A case of the page: its row and what it is now.
type Case = (CaseRow, CaseView);

fn rows(
    tx: &mut Tx<'_>,
    context: &Context,
    (found, unit): (&[Task], &UnitId),
    now_ms: i64,
) -> Result<Vec<RowView>, ServiceError> {
    let mut ids: Vec<EnvelopeId> = found.iter().map(|task| task.envelope_id).collect();
    ids.dedup();
    let others = tasks::of_cases(tx, &ids)?;
    let mut known: BTreeMap<EnvelopeId, Case> = BTreeMap::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut rows = Vec::with_capacity(found.len());
    for task in found {
        if let Entry::Vacant(place) = known.entry(task.envelope_id) {
            place.insert(cases::current(tx, &task.envelope_id)?);
        }
        let Some((row, case)) = known.get(&task.envelope_id) else { continue };
        let holder = match &task.holder {
            None => W.t("desk.nobody").to_owned(),
            Some(id) => name(tx, &mut names, id)?,
        };
        let volume = context.shelf.get(tx, row.catalogue_version)?;
        let catalogue = volume.as_deref().map(|v| &v.catalogue);
        let running = time_left::of(tx, &context.shelf, (row, case), now_ms)?;
        let beside =
            others.iter().filter(|other| other.envelope_id == task.envelope_id && other.step != task.step);
        rows.push(RowView {
            href: address(&row.number, Some(&task.step)),
            due: time::badge(running.as_ref(), case.accepted_at_ms.is_some(), now_ms),
            number: row.number.to_string(),
            item: item_name(catalogue, row.item.as_ref()),
            step: step_called(catalogue, row.item.as_ref(), case, &task.step),
            state: state_badge(task.state),
            since: view::span(W, now_ms - task.since_ms),
            holder,
            why: why(tx, (row, case), (&task.step, unit))?,
            others: beside
                .filter(|other| is_beside(case, &task.step, &other.step))
                .map(|other| Other { unit: other.unit.to_string(), state: state_badge(other.state) })
                .collect(),
        });
    }
    Ok(rows)
}

/// Why the rules of a step left it to a person, in short; none if they did not, or have no part in it. Whoever does not
/// do that step reads only that they left it: which rule holds says something of somebody.
fn why(
    tx: &mut Tx<'_>,
    (row, case): (&CaseRow, &CaseView),
    (step, unit): (&str, &UnitId),
) -> Result<Option<String>, ServiceError> {
    let all = approval::of_case(tx, &row.envelope_id)?;
    // What is to be accepted first stands in the inbox for the step behind it.
    let of_step = |automatic: &&approval::Automatic| automatic.step == step || row.accepted_at_ms.is_none();
    let left = all.iter().filter(of_step).find(|automatic| automatic.progress == Progress::Person);
    let Some(left) = left else { return Ok(None) };
    if case.step(&left.step).is_none_or(|judged| !case.books(unit, judged)) {
        return Ok(Some(W.of("approval_progress", Progress::Person.as_str())));
    }
    let set = match row.item.as_ref() {
        Some(item) => approval::rule_sets::get(tx, (item, &left.step, left.set_version))?,
        None => None,
    };
    let said = match (set, left.reasons.first()) {
        (Some(set), Some(reason)) => super::approval::said(&set, reason),
        _ => W.t("approval.broke_off").to_owned(),
    };
    let more = left.reasons.len().saturating_sub(1);
    let said = if more == 0 {
        said
    } else {
        W.fill("approval.and_more", &[("reason", &said), ("n", &more.to_string())])
    };
    Ok(Some(W.fill("approval.for_a_person", &[("reason", &said)])))
}

/// Whether two steps run side by side: neither comes after the other.
fn is_beside(case: &CaseView, one: &str, other: &str) -> bool {
    !case.plan.followers(one).contains(other) && !case.plan.followers(other).contains(one)
}

/// The name of an account, or its id.
fn name(tx: &mut Tx<'_>, names: &mut BTreeMap<String, String>, id: &str) -> Result<String, ServiceError> {
    if let Some(name) = names.get(id) {
        return Ok(name.clone());
    }
    let account = id.parse().ok().map(|id| accounts::by_id(tx, &id)).transpose()?.flatten();
    let name = account.map_or_else(|| id.to_owned(), |account| account.display);
    names.insert(id.to_owned(), name.clone());
    Ok(name)
}
