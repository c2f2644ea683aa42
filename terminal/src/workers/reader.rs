//! The reader's thread: waits for cards, reads them, turns what stands on the chip into an applicant.
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::applicant::{Applicant, IdentitySource};
use domain::date::CivilDate;
use hardware::card_reader::{CardData, CardReader, IdCard, ReadError, ReaderEvent, ReaderStatus};
use hardware::id_card::FOR_EVER;

use super::EventSender;
use crate::event::Event;

/// The longest wait at the reader, so that the thread hears that it shall end.
const WAIT: Duration = Duration::from_millis(300);

pub(super) fn run(mut reader: Box<dyn CardReader>, events: &EventSender, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let ReaderEvent::Status(status) = reader.wait_event(WAIT) else { continue };
        if !events.send(Event::Reader(status)) {
            return;
        }
        if status == ReaderStatus::Card && !events.send(read(reader.as_mut())) {
            return;
        }
    }
}

/// Reads the card. The number of the security module stands in the log: it names a device, not a person.
fn read(reader: &mut dyn CardReader) -> Event {
    let result = reader.read().and_then(|CardData::IdCard(card)| applicant(&card));
    let sam_id = reader.sam_id().map(tracing::field::display);
    match result {
        Ok(applicant) => {
            tracing::info!(sam_id, "a card was read");
            Event::CardRead(Box::new(applicant))
        }
        Err(error) => {
            tracing::info!(sam_id, reason = %error, "a card could not be read");
            Event::CardFailed(error)
        }
    }
}

/// The person on a card. A date that does not exist means that the data are damaged.
fn applicant(card: &IdCard) -> Result<Applicant, ReadError> {
    let valid_to = match card.valid_to.trim() {
        FOR_EVER => None,
        text => Some(compact_date(text).ok_or(ReadError::Damaged)?),
    };
    Ok(Applicant {
        source: IdentitySource::Read,
        name: card.any_name().to_owned(),
        id_number: card.id_number.clone(),
        sex: card.sex,
        nation: card.nation.clone(),
        birth: Some(compact_date(&card.birth).ok_or(ReadError::Damaged)?),
        address: card.address.clone(),
        valid_to,
    })
}

/// `YYYYMMDD`.
fn compact_date(text: &str) -> Option<CivilDate> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    CivilDate::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?)
}
