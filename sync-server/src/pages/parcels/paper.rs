//! `/parcels/{number}/paper`: the packing list (封装清单) that goes into the parcel, to be printed: to whom, what is in it, the
//! seal, and a code with the parcel's number. Whoever opens it is noted first.
use askama::Template;
use axum::extract::State;
use domain::date::CivilDate;
use domain::parcel::ParcelNo;

use super::deed::packed;
use super::{Named, W, named};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::qr::{self, QrView};
use crate::pages::{Page, render};
use crate::services::parcels;
use crate::services::sessions::Caller;
use crate::services::{case_key, cases};
use crate::shell::App;
use crate::words::Words;

#[derive(Template)]
#[template(path = "parcel_paper.html")]
struct PaperPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    number: String,
    groups: Vec<String>,
    case: String,
    name: String,
    phone: String,
    address: String,
    seal: String,
    unit: String,
    day: String,
    contents: Vec<String>,
    qr: Option<QrView>,
}

/// The page.
pub async fn parcel_paper(State(app): State<App>, caller: Caller, place: Named) -> Page {
    let number = named(place)?;
    render(&blocking(move || drawn(&app, &caller, &number)).await?)
}

fn drawn(app: &App, caller: &Caller, number: &ParcelNo) -> Result<PaperPage, ServiceError> {
    let (centre, context, now_ms) = (&app.centre, app.centre.context(), app.centre.now_ms());
    let (stored, page) = centre.read(|tx| {
        let stored = parcels::of_unit(tx, caller, number)?;
        if stored.parcel.seal.is_empty() {
            return Err(ServiceError::from(ProblemCode::NotFound));
        }
        let key = case_key::find(tx, &stored.envelope_id)?.open(&context.keys)?;
        let inside = packed(&parcels::events(tx, number)?, &key, number)?.ok_or(ProblemCode::NotFound)?;
        let to = inside.to.ok_or(ProblemCode::NotFound)?;
        let row = cases::by_id(tx, &stored.envelope_id)?.ok_or(ProblemCode::NotFound)?;
        let newest = context.shelf.newest(tx)?;
        let page = PaperPage {
            w: W,
            sample: newest.as_deref().and_then(|v| sample(&v.catalogue)),
            number: number.to_string(),
            groups: number.groups().map(str::to_owned).to_vec(),
            case: row.number.groups().join(" "),
            name: to.name,
            phone: to.phone,
            address: to.address,
            seal: stored.parcel.seal.clone(),
            unit: stored.unit.to_string(),
            day: CivilDate::in_china(now_ms).to_string(),
            contents: inside.contents,
            qr: qr::draw(number.as_str()),
            frame: frame(tx, caller, now_ms, Here::Parcels)?,
        };
        Ok((stored, page))
    })?;
    let by = caller.account.to_string();
    centre.write(move |tx| Ok(parcels::note_seen(tx, now_ms, &by, &stored)?))?;
    Ok(page)
}
