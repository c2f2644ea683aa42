//! `POST /parcels/{number}`: one deed. An order goes to its carrier first; the same order again is the same order there.
use axum::extract::State;
use domain::envelope::DataKey;
use domain::parcel::{Event, News, ParcelNo, ParcelState};
use rand_core::CryptoRng;

use super::{Named, is_sample, named};
use crate::api::blocking;
use crate::carriers::{Carrier, Order, SIMULATED, Simulated};
use crate::error::{ProblemCode, ServiceError};
use crate::pages::Page;
use crate::pages::form::Fields;
use crate::services::case_key;
use crate::services::parcels::{self, BY_HAND, Deed, Inside, MAX_LINES, Seen};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;

/// Fields of the forms.
const FIELDS: [&str; 9] = ["deed", "seen", "click", "seal", "lines", "carrier", "tracking", "news", "words"];

/// What came of a click.
enum Done {
    Yes,
    /// Nothing, for this reason.
    No(&'static str),
}

/// Does it, and leads back to the page, which says why if nothing came of it.
pub async fn parcel_deed(State(app): State<App>, caller: Caller, place: Named, fields: Fields) -> Page {
    let number = named(place)?;
    let fields = fields.only(&FIELDS)?;
    let back = format!("/parcels/{number}");
    let done = blocking(move || perform(&app, caller, &number, &fields)).await?;
    Ok(see_other(&match done {
        Done::Yes => back,
        Done::No(why) => format!("{back}?said={why}"),
    }))
}

fn perform(app: &App, caller: Caller, number: &ParcelNo, fields: &Fields) -> Result<Done, ServiceError> {
    let version = fields.get("seen").parse().map_err(|_| ProblemCode::MalformedRequest)?;
    let Some(deed) = deed(app, (&caller, number, version), fields)? else { return Ok(Done::No("not_taken")) };
    let (own, number, click) = (app.centre.clone(), number.clone(), fields.get("click").to_owned());
    let done = app.centre.write(move |tx| {
        let now = (own.now_ms(), &mut own.random() as &mut dyn CryptoRng);
        parcels::perform(tx, own.context(), now, (&caller, &number), (Seen { click: &click, version }, &deed))
    });
    match done {
        Ok(_) => Ok(Done::Yes),
        Err(ServiceError::Refused { code: ProblemCode::CaseChanged, .. }) => Ok(Done::No("changed")),
        Err(ServiceError::Refused { code: ProblemCode::MalformedRequest, detail: Some(_) }) => {
            Ok(Done::No("malformed"))
        }
        Err(other) => Err(other),
    }
}

/// What is to be done; none if the carrier did not take the order.
fn deed(
    app: &App,
    (caller, number, version): (&Caller, &ParcelNo, u64),
    fields: &Fields,
) -> Result<Option<Deed>, ServiceError> {
    let text = |name: &str| fields.get(name).trim().to_owned();
    Ok(Some(match fields.get("deed") {
        "pack" => {
            // One more than may be, so that too many are refused and not cut.
            let lines =
                text("lines").lines().take(MAX_LINES + 1).map(|line| line.trim().to_owned()).collect();
            Deed::Pack { seal: text("seal").to_ascii_uppercase(), lines }
        }
        "hand" => {
            let carrier = text("carrier");
            let Some(tracking) = order(app, (caller, number, version), &carrier)? else { return Ok(None) };
            Deed::Hand { carrier, tracking }
        }
        BY_HAND => by_hand(app, text("carrier"), text("tracking"))?,
        "tell" => {
            let news = News::from_name(fields.get("news")).ok_or(ProblemCode::MalformedRequest)?;
            Deed::Tell { news, words: text("words") }
        }
        "window" => Deed::ToWindow,
        "again" => Deed::Again,
        "settle" => Deed::Settle,
        _ => return Err(ProblemCode::MalformedRequest.into()),
    }))
}

/// Somebody went there. Nobody takes the name of a carrier that calls back, nor that of the simulator.
fn by_hand(app: &App, carrier: String, tracking: String) -> Result<Deed, ServiceError> {
    let set_up = app.carriers.now().unwrap_or_default();
    if carrier == SIMULATED || set_up.contains_key(&carrier) {
        return Err(ProblemCode::MalformedRequest.into());
    }
    Ok(Deed::Hand { carrier, tracking: tracking.to_ascii_uppercase() })
}

/// Gives a carrier the order of a packed parcel; none if it did not take it. A page that is old orders nothing.
fn order(
    app: &App,
    (caller, number, version): (&Caller, &ParcelNo, u64),
    name: &str,
) -> Result<Option<String>, ServiceError> {
    let centre = &app.centre;
    let (stored, inside, sample) = centre.read(|tx| {
        let stored = parcels::of_unit(tx, caller, number)?;
        if stored.parcel.version != version || stored.parcel.state != ParcelState::Packed {
            // The deed says so in its own transaction.
            return Ok((stored, None, false));
        }
        let key = case_key::find(tx, &stored.envelope_id)?.open(&centre.context().keys)?;
        let inside = packed(&parcels::events(tx, number)?, &key, number)?;
        Ok::<_, ServiceError>((stored, inside, is_sample(tx, centre)?))
    })?;
    let Some(Inside { to: Some(to), contents, .. }) = inside else {
        return Ok(Some("00".to_owned()));
    };
    let set_up = app.carriers.now().unwrap_or_default();
    let carrier: &dyn Carrier = match set_up.get(name) {
        Some(settings) => settings,
        None if name == SIMULATED && sample => &Simulated,
        None => return Err(ProblemCode::MalformedRequest.into()),
    };
    let order = number.order(stored.parcel.round);
    Ok(carrier.order(&Order {
        order: &order,
        name: &to.name,
        phone: &to.phone,
        address: &to.address,
        pieces: contents.len(),
        seal: &stored.parcel.seal,
    }))
}

/// What was packed last.
pub(super) fn packed(
    events: &[parcels::StoredEvent],
    key: &DataKey,
    number: &ParcelNo,
) -> Result<Option<Inside>, ServiceError> {
    let last = events.iter().rfind(|event| matches!(event.happened.event, Event::Packed { .. }));
    Ok(last.map(|event| event.open(key, number)).transpose()?.flatten())
}
