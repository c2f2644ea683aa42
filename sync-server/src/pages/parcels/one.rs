//! `/parcels/{number}`: where a parcel stands, what can be done with it now, and what happened to it.
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use domain::parcel::{Event, Heard, News, ParcelNo, ParcelState};
use serde::Deserialize;

use super::{Named, W, badge, click, is_sample, named};
use crate::carriers::SIMULATED;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::cases::item_name;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::people::name_of;
use crate::pages::progress::carrier_name;
use crate::pages::view::{self, Badge};
use crate::pages::{Page, in_address, read_page};
use crate::services::case_key;
use crate::services::cases::{self, CENTRE};
use crate::services::parcels::{self, MAX_CARRIER_CHARS, MAX_NOTE_CHARS, Stored, StoredEvent};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// What stands in the address: why the last click did nothing.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    said: String,
}

#[derive(Template)]
#[template(path = "parcel.html")]
struct ParcelPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    number: String,
    groups: Vec<String>,
    case: String,
    item: String,
    state: Badge,
    advice: String,
    said: Option<String>,
    click: String,
    seen: u64,
    can: Can,
    contents: Vec<String>,
    carriers: Vec<(String, String)>,
    news: Vec<(&'static str, String)>,
    facts: Vec<(&'static str, String)>,
    has_paper: bool,
    history: Vec<Line>,
    most_chars: usize,
    most_carrier: usize,
}

/// What can be done now.
#[derive(Default)]
struct Can {
    pack: bool,
    hand: bool,
    tell: bool,
    window: bool,
    again: bool,
    settle: bool,
}

struct Line {
    glyph: &'static str,
    word: String,
    words: String,
    note: String,
}

/// The page.
pub async fn parcel(
    State(app): State<App>,
    caller: Caller,
    place: Named,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let (number, asked) = (named(place)?, in_address(asked)?);
    read_page(app, move |tx, app, now_ms| draw(tx, app, (&number, &asked), (&caller, now_ms))).await
}

fn draw(
    tx: &mut Tx<'_>,
    app: &App,
    (number, asked): (&ParcelNo, &Asked),
    (caller, now_ms): (&Caller, i64),
) -> Result<ParcelPage, ServiceError> {
    let (centre, context) = (&app.centre, app.centre.context());
    let stored = parcels::of_unit(tx, caller, number)?;
    let events = parcels::events(tx, number)?;
    let row = cases::by_id(tx, &stored.envelope_id)?.ok_or(ProblemCode::NotFound)?;
    let volume = context.shelf.get(tx, row.catalogue_version)?;
    let newest = context.shelf.newest(tx)?;
    let left = parcels::contents(tx, &stored.envelope_id)?;
    let said = ["changed", "malformed", "not_taken"].into_iter().find(|said| *said == asked.said);
    let heard = |news: &News| stored.parcel.hear(stored.parcel.round, *news) == Heard::News;
    let news: Vec<_> = News::ALL.into_iter().filter(heard).collect();
    let erased = parcels::is_erased(tx, &stored.envelope_id)?;
    let can = can(&stored, (!left.is_empty(), erased), !news.is_empty());
    Ok(ParcelPage {
        w: W,
        sample: newest.as_deref().and_then(|v| sample(&v.catalogue)),
        number: number.to_string(),
        groups: number.groups().map(str::to_owned).to_vec(),
        case: row.number.to_string(),
        item: item_name(volume.as_deref().map(|v| &v.catalogue), row.item.as_ref()),
        state: badge(&stored.parcel),
        advice: advice(&stored),
        said: said.map(|said| W.of("parcel_said", said)),
        click: click(centre),
        seen: stored.parcel.version,
        contents: if can.pack { left } else { Vec::new() },
        carriers: if can.hand { carriers(tx, app)? } else { Vec::new() },
        news: news.iter().map(|news| (news.as_str(), W.of("parcel_news", news.as_str()))).collect(),
        facts: facts(&stored),
        has_paper: !stored.parcel.seal.is_empty(),
        history: history(tx, app, (&stored, &events), now_ms)?,
        most_chars: MAX_NOTE_CHARS,
        most_carrier: MAX_CARRIER_CHARS,
        can,
        frame: frame(tx, caller, now_ms, Here::Parcels)?,
    })
}

fn can(stored: &Stored, (left, erased): (bool, bool), hears: bool) -> Can {
    let parcel = &stored.parcel;
    let back = matches!(parcel.state, ParcelState::Returned | ParcelState::Lost) && left;
    Can {
        pack: parcel.state == ParcelState::ToPack && left,
        hand: parcel.state == ParcelState::Packed,
        tell: hears,
        window: left && (back || matches!(parcel.state, ParcelState::ToPack | ParcelState::Packed)),
        again: back && parcel.round < domain::parcel::MAX_ROUNDS,
        settle: parcels::may_settle(stored, (left, erased)),
    }
}

/// What the state asks of people.
fn advice(stored: &Stored) -> String {
    let name = if stored.parcel.recalled { "recalled" } else { stored.parcel.state.as_str() };
    W.of("parcel_advice", name)
}

/// Carriers that take orders, each with its words.
fn carriers(tx: &mut Tx<'_>, app: &App) -> Result<Vec<(String, String)>, ServiceError> {
    let set_up = app.carriers.now().unwrap_or_else(|e| {
        tracing::error!("no carrier takes orders: {}", operator::findings::with_causes(&e));
        Default::default()
    });
    let mut names: Vec<_> = set_up.into_keys().map(|name| (name.clone(), name)).collect();
    if is_sample(tx, &app.centre)? {
        names.push((SIMULATED.to_owned(), carrier_name(W, SIMULATED)));
    }
    Ok(names)
}

fn facts(stored: &Stored) -> Vec<(&'static str, String)> {
    let parcel = &stored.parcel;
    let all = [
        (W.t("parcel.unit"), stored.unit.to_string()),
        (W.t("parcel.seal"), parcel.seal.clone()),
        (W.t("parcel.carrier"), carrier_name(W, &parcel.carrier)),
        (W.t("parcel.tracking"), stored.tracking.clone()),
        (W.t("parcel.round"), if parcel.round > 1 { parcel.round.to_string() } else { String::new() }),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn history(
    tx: &mut Tx<'_>,
    app: &App,
    (stored, events): (&Stored, &[StoredEvent]),
    now_ms: i64,
) -> Result<Vec<Line>, ServiceError> {
    let key = match case_key::find(tx, &stored.envelope_id) {
        Ok(key) => Some(key.open(&app.centre.context().keys)?),
        Err(ServiceError::Refused { code: ProblemCode::NotFound, .. }) => None,
        Err(other) => return Err(other),
    };
    let mut lines = Vec::new();
    for StoredEvent { happened, actor, .. } in events.iter().rev() {
        let event = events.iter().find(|e| e.happened.version == happened.version);
        let inside = match (event, &key) {
            (Some(event), Some(key)) => event.open(key, &stored.number)?,
            _ => None,
        };
        let who = match actor.parse() {
            Ok(id) => name_of(tx, &id)?,
            Err(_) if actor == CENTRE => W.t("case.centre").to_owned(),
            Err(_) => carrier_name(W, actor),
        };
        let (glyph, word) = told(&happened.event);
        lines.push(Line {
            glyph,
            word,
            words: inside.map(|inside| inside.words).unwrap_or_default(),
            note: format!("{} · {who}", view::time(happened.at_ms, now_ms)),
        });
    }
    Ok(lines)
}

/// An event in words.
fn told(event: &Event) -> (&'static str, String) {
    let glyph = match event {
        Event::Told { news: News::Delivered, .. } | Event::PickedUp { .. } | Event::Settled => "ok",
        Event::Told { news: News::Refused | News::Returned, .. } | Event::Opened | Event::Changed => "warn",
        Event::Told { news: News::Lost, .. } | Event::Recalled => "bad",
        _ => "run",
    };
    let word = match event {
        Event::Made { way } => {
            W.of("parcel_event", if *way == domain::parcel::Way::Post { "made_post" } else { "made_window" })
        }
        Event::Told { news, .. } => W.of("parcel_news", news.as_str()),
        Event::Packed { seal, .. } => W.fill("parcel_event.packed", &[("seal", seal)]),
        Event::Handed { carrier } => W.fill("parcel_event.handed", &[("carrier", &carrier_name(W, carrier))]),
        other => W.of("parcel_event", other.name()),
    };
    (glyph, word)
}
