//! 送达: the work list of parcels, one parcel with its history and what can be done, the packing list, and handing over at a
//! window.
//!
//! No name and no address stands in a list; the packing list has both, and each look at it leaves an audit row first.
mod deed;
mod list;
mod one;
mod paper;
mod pick_up;

pub use deed::parcel_deed;
pub use list::{parcels, parcels_csv};
pub use one::parcel;
pub use paper::parcel_paper;
pub use pick_up::{pick_up, pick_up_form, pick_up_hand};

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use domain::parcel::{Parcel, ParcelNo, ParcelState};
use domain::text::Language;
use rand_core::Rng as _;

use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::view::Badge;
use crate::services::meta;
use crate::store::Tx;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);

/// The number of a parcel that an address names.
type Named = Result<Path<String>, PathRejection>;

fn named(place: Named) -> Result<ParcelNo, ServiceError> {
    let number = place.ok().and_then(|Path(number)| number.parse().ok());
    number.ok_or_else(|| ProblemCode::NotFound.into())
}

/// The badge of a parcel's state.
fn badge(parcel: &Parcel) -> Badge {
    let glyph = match parcel.state {
        _ if parcel.recalled => "bad",
        ParcelState::ToPack | ParcelState::AtWindow => "wait",
        ParcelState::Packed | ParcelState::Handed | ParcelState::OnTheWay => "run",
        ParcelState::Refused | ParcelState::Returned => "warn",
        ParcelState::Lost => "bad",
        ParcelState::Delivered | ParcelState::PickedUp => "ok",
        ParcelState::Withdrawn => "off",
    };
    Badge { glyph, word: W.of("parcel_state", parcel.state.as_str()) }
}

/// A name for the click of a form.
fn click(centre: &Centre) -> String {
    format!("{:016x}", centre.random().next_u64())
}

/// Whether everything here is invented: then there is a simulated carrier.
fn is_sample(tx: &mut Tx<'_>, centre: &Centre) -> Result<bool, ServiceError> {
    let newest = centre.context().shelf.newest(tx)?;
    Ok(newest.is_some_and(|volume| volume.catalogue.is_sample()) || meta::sample_data(tx)?.is_some())
}
