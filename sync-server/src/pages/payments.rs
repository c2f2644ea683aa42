//! `/payments`: bills, what was paid and what goes back; what needs a person first. The same as CSV. No person is shown: a
//! bill names a case. And bills as the desk and the page of a slip show them.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use domain::money::{BillState, Fen, RefundState};
use serde::Deserialize;

use super::frame::{Frame, Here, bills_of, frame, sample, sees_all};
use super::view::{self, Badge};
use super::{Page, in_address, in_query, read_page};
use crate::api::blocking;
use crate::auth::policy::{SETTLE_PAYMENTS, Verdict};
use crate::auth::role::Role;
use crate::csv_file::{self, QuoteStyle};
use crate::error::{ProblemCode, ServiceError};
use crate::services::money::{self, BillRow, Query, Shown};
use crate::services::progress::Paying;
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::words::Words;
use domain::text::Language;

const W: Words = Words(Language::ZhCn);
/// Pages of a file, at most.
const MOST_PAGES: usize = 200;
/// Columns of the file. Names are only added.
const COLUMNS: [&str; 13] = [
    "number",
    "case_number",
    "item",
    "unit",
    "state",
    "needs_somebody",
    "amount_fen",
    "received_fen",
    "kept_fen",
    "refunded_fen",
    "owed_fen",
    "due",
    "opened",
];

/// A bill in words.
pub struct BillView {
    /// Its number.
    pub number: String,
    /// How much, in yuan.
    pub amount: String,
    /// Where it stands.
    pub state: Badge,
    /// Until when, and what came so far.
    pub facts: String,
    /// What goes back.
    pub notes: Vec<String>,
    /// It is paid at a simulator.
    pub simulated: bool,
}

/// A bill for people.
pub fn bill(w: Words, paying: &Paying, now_ms: i64) -> BillView {
    let row = &paying.row;
    BillView {
        number: row.number.clone(),
        amount: yuan(w, row.fen),
        state: badge(w, row),
        facts: facts(w, row, now_ms),
        notes: paying.refunds.iter().map(|(fen, state, _)| going_back(w, (*fen, *state))).collect(),
        simulated: row.simulated,
    }
}

/// An amount in words.
pub fn yuan(w: Words, fen: Fen) -> String {
    w.fill("payments.yuan", &[("yuan", &fen.to_string())])
}

/// What goes back, and whether it is done.
pub fn going_back(w: Words, (fen, state): (Fen, RefundState)) -> String {
    let key = if state == RefundState::Done { "payments.refunded" } else { "payments.refund_under_way" };
    w.fill(key, &[("yuan", &yuan(w, fen))])
}

fn badge(w: Words, row: &BillRow) -> Badge {
    let glyph = match row.state {
        BillState::Open => "wait",
        BillState::Paid => "ok",
        BillState::Lapsed => "warn",
        BillState::Stray => "bad",
        BillState::Cancelled | BillState::GivenBack => "off",
    };
    Badge { glyph, word: w.of("bill_state", row.state.as_str()) }
}

fn facts(w: Words, row: &BillRow, now_ms: i64) -> String {
    let opened = w.fill("payments.opened_at", &[("time", &view::time(row.opened_at_ms, now_ms))]);
    let until = (row.state == BillState::Open)
        .then(|| w.fill("payments.until", &[("time", &view::last_moment(w, row.due_ms, now_ms))]));
    let part = (row.state == BillState::Open && !row.kept.is_nothing()).then(|| {
        let left = row.fen.minus(row.kept).unwrap_or_default();
        w.fill("payments.part", &[("paid", &yuan(w, row.kept)), ("left", &yuan(w, left))])
    });
    [Some(opened), until, part].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    show: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    before: String,
}

impl Asked {
    /// What is asked for, of what the caller sees.
    fn query(&self, caller: &Caller) -> Result<Query, ServiceError> {
        // Without a unit there are only strays, and those are for whoever sees all.
        if caller.unit.is_none() && !sees_all(caller) {
            return Err(ProblemCode::UnitNeeded.into());
        }
        let search: String = super::form::searched(&self.q).split_whitespace().collect();
        let search = search.to_uppercase();
        let shown = Shown::from_name(&self.show);
        // Whoever searches looks everywhere.
        let shown = shown.unwrap_or(if search.is_empty() { Shown::Needs } else { Shown::All });
        let unit = bills_of(caller).map(str::to_owned);
        Ok(Query { shown, unit, search, before: self.before.parse().ok() })
    }
}

fn address(path: &str, shown: Shown, search: &str) -> String {
    let search = if search.is_empty() { String::new() } else { format!("&q={}", in_query(search)) };
    format!("{path}?show={}{search}", shown.as_str())
}

#[derive(Template)]
#[template(path = "payments.html")]
struct PaymentsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    tabs: Vec<Tab>,
    search: String,
    rows: Vec<RowView>,
    empty: (String, String),
    first: Option<String>,
    older: Option<String>,
    csv: String,
}

struct Tab {
    href: String,
    word: String,
    count: Option<u64>,
    current: bool,
    alarming: bool,
}

struct RowView {
    number: String,
    case: String,
    what: String,
    state: Badge,
    amount: String,
    received: String,
    owed: String,
    time: String,
    /// Address and word of what the caller can do about it.
    deed: Option<(String, String)>,
    needs: Option<String>,
}

/// The page.
pub async fn payments(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    read_page(app, move |tx, app, now_ms| {
        let newest = app.centre.context().shelf.newest(tx)?;
        let query = asked.query(&caller)?;
        let (bills, next) = money::page(tx, &query)?;
        let counts = money::counts(tx, query.unit.as_deref())?;
        let mut rows = Vec::new();
        for bill in &bills {
            let named = if bill.unit.is_empty() { money::named_by(tx, &bill.number)? } else { None };
            rows.push(row((bill, named), &caller, now_ms));
        }
        let tab = |shown: Shown| Tab {
            href: address("/payments", shown, ""),
            word: W.of("payments_show", shown.as_str()),
            count: match shown {
                Shown::Needs => Some(counts.needs),
                Shown::Open => Some(counts.open),
                Shown::Refunds => Some(counts.refunds),
                Shown::All => None,
            },
            current: shown == query.shown,
            alarming: shown == Shown::Needs && counts.needs > 0,
        };
        let here = address("/payments", query.shown, &query.search);
        let why = if query.search.is_empty() { query.shown.as_str() } else { "search" };
        Ok(PaymentsPage {
            w: W,
            sample: newest.as_deref().and_then(|volume| sample(&volume.catalogue)),
            tabs: Shown::ALL.into_iter().map(tab).collect(),
            rows,
            empty: (W.of("payments_none", why), W.of("payments_none_why", why)),
            first: query.before.map(|_| here.clone()),
            older: next.map(|place| format!("{here}&before={place}")),
            csv: address("/payments.csv", query.shown, &query.search),
            search: query.search,
            frame: frame(tx, &caller, now_ms, Here::Payments)?,
        })
    })
    .await
}

fn row((bill, named): (&BillRow, Option<(String, String)>), caller: &Caller, now_ms: i64) -> RowView {
    let stray = bill.state == BillState::Stray;
    let may = SETTLE_PAYMENTS.judge(Some(caller.roles)) == Verdict::Go
        && (caller.roles.has(Role::Operator) || !stray);
    let deed = if stray { "give-back" } else { "retry" };
    let word = W.of("payments_deed", if stray { "give_back" } else { "retry" });
    let time = match bill.state {
        BillState::Open => W.fill("payments.until", &[("time", &view::last_moment(W, bill.due_ms, now_ms))]),
        _ => view::time(bill.changed_at_ms, now_ms),
    };
    let sum = |fen: Fen| if fen.is_nothing() { "—".to_owned() } else { fen.to_string() };
    RowView {
        case: bill.case_number.clone(),
        what: match named {
            Some((order, currency)) => {
                W.fill("payments.no_bill", &[("order", &order), ("currency", &currency)])
            }
            None => bill.unit.clone(),
        },
        state: badge(W, bill),
        amount: sum(bill.fen),
        received: sum(bill.received),
        owed: sum(bill.owed),
        time,
        deed: (bill.needs && may).then(|| (format!("/payments/{}/{deed}", bill.number), word)),
        needs: bill.needs.then(|| W.of("payments_needs", if stray { "stray" } else { "refund" })),
        number: bill.number.clone(),
    }
}

/// The same as a file.
pub async fn payments_csv(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    let bytes = blocking(move || {
        let mut query = Query { before: None, ..asked.query(&caller)? };
        let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
        for _ in 0..MOST_PAGES {
            let (bills, next) = app.centre.read(|tx| Ok::<_, ServiceError>(money::page(tx, &query)?))?;
            rows.extend(bills.iter().map(cells));
            query.before = next;
            if next.is_none() {
                break;
            }
        }
        Ok::<_, ServiceError>(csv_file::table(QuoteStyle::Necessary, rows))
    })
    .await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"payments.csv\""),
    ];
    Ok((headers, bytes).into_response())
}

fn cells(bill: &BillRow) -> Vec<String> {
    let sums =
        [bill.fen, bill.received, bill.kept, bill.refunded, bill.owed].map(|fen| fen.get().to_string());
    let minute = |ms: i64| if ms == 0 { String::new() } else { view::time(ms, 0) };
    let mut cells = vec![
        bill.number.clone(),
        bill.case_number.clone(),
        bill.item.clone(),
        bill.unit.clone(),
        bill.state.as_str().to_owned(),
        u8::from(bill.needs).to_string(),
    ];
    cells.extend(sums);
    cells.extend([minute(bill.due_ms), minute(bill.opened_at_ms)]);
    cells
}

/// Has the refunds of a bill tried again, and leads back to the list.
pub async fn retry_refunds(
    State(app): State<App>,
    caller: Caller,
    number: Result<Path<String>, PathRejection>,
) -> Page {
    settle(app, caller, number, money::retry).await
}

/// Sends a payment back that fits no bill, and leads back to the list.
pub async fn give_back_stray(
    State(app): State<App>,
    caller: Caller,
    number: Result<Path<String>, PathRejection>,
) -> Page {
    settle(app, caller, number, money::give_back).await
}

type Deed = fn(&mut crate::store::Tx<'_>, i64, &Caller, &str) -> Result<(), ServiceError>;

async fn settle(app: App, caller: Caller, number: Result<Path<String>, PathRejection>, deed: Deed) -> Page {
    let number = number.map(|Path(number)| number).map_err(|_| ServiceError::from(ProblemCode::NotFound))?;
    blocking(move || {
        let now_ms = app.centre.now_ms();
        app.centre.write(move |tx| deed(tx, now_ms, &caller, &number))
    })
    .await?;
    Ok(see_other("/payments"))
}
