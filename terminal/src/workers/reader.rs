//! The reader's thread: waits for cards, reads them, turns what stands on the chip into an applicant.
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::applicant::{Applicant, IdentitySource, birth_of_id_number};
use domain::date::CivilDate;
use hardware::card_reader::{CardData, CardReader, IdCard, ReadError, ReaderEvent, ReaderStatus};
use hardware::device::DeviceKind;
use hardware::id_card::FOR_EVER;
use hardware::photo::{PhotoDecoder, PhotoError};
use hardware::social_security::SocialSecurityCard;
use zeroize::Zeroizing;

use super::EventSender;
use crate::devices::Board;
use crate::event::{Event, OtherCard};

/// The longest wait at the reader, so that the thread hears that it shall end.
const WAIT: Duration = Duration::from_millis(300);

pub(super) fn run(
    mut reader: Box<dyn CardReader>,
    photos: &dyn PhotoDecoder,
    (events, board): (&EventSender, &Board),
    stop: &AtomicBool,
) {
    let mut missed = false;
    while !stop.load(Ordering::SeqCst) {
        let event = reader.wait_event(WAIT);
        let misses = reader.misses();
        let changed = std::mem::replace(&mut missed, misses) != misses;
        if changed && !matches!(event, ReaderEvent::Status(_)) {
            board.reader_misses(misses);
        }
        let status = match event {
            ReaderEvent::Status(status) => status,
            ReaderEvent::Second if events.send(Event::SecondCard) => continue,
            ReaderEvent::Second => return,
            ReaderEvent::Nothing => continue,
        };
        board.reader_says(status, misses);
        if !events.send(Event::Reader(status)) {
            return;
        }
        if status != ReaderStatus::Card {
            continue;
        }
        let (event, photo) = read(reader.as_mut(), board);
        if !events.send(event) {
            return;
        }
        // The person is on the screen already: a slow decoder keeps nobody waiting.
        match photo.map(|photo| photos.decode(&photo)) {
            Some(Ok(photo)) => {
                if !events.send(Event::CardPhoto(Box::new(photo))) {
                    return;
                }
            }
            Some(Err(PhotoError::None)) | None => {}
            Some(Err(error)) => tracing::warn!(reason = %error, "a photo could not be decoded"),
        }
    }
}

/// The bytes of a photo as they stand on a card.
type PhotoBytes = Zeroizing<Vec<u8>>;

/// Reads the card. The number of the security module stands in the log: it names a device, not a person.
fn read(reader: &mut dyn CardReader, board: &Board) -> (Event, Option<PhotoBytes>) {
    board.begin(DeviceKind::CardReader);
    let result = reader.read().and_then(|card| event_of(&card));
    board.card_read(result.as_ref().err().copied(), reader.misses());
    let sam_id = reader.sam_id().map(tracing::field::display);
    match result {
        Ok(read) => {
            tracing::info!(sam_id, "a card was read");
            read
        }
        Err(error) => {
            tracing::info!(sam_id, reason = %error, "a card could not be read");
            (Event::CardFailed(error), None)
        }
    }
}

/// What the model hears of a card, and the photo on it.
fn event_of(card: &CardData) -> Result<(Event, Option<PhotoBytes>), ReadError> {
    Ok(match card {
        CardData::IdCard(card) => {
            let photo = (!card.photo.is_empty()).then(|| Zeroizing::new(card.photo.clone()));
            (Event::CardRead(Box::new(applicant(card)?)), photo)
        }
        CardData::SocialSecurity(card) => (social_security(card)?, None),
        CardData::Staff(_) => (Event::OtherCard(OtherCard::Staff), None),
    })
}

/// The holder of a social-security card, if it says whole who that is. It has no address, and where it has no last day
/// it counts as good: the centre's offices judge it.
fn social_security(card: &SocialSecurityCard) -> Result<Event, ReadError> {
    if !card.identifies() {
        return Ok(Event::OtherCard(OtherCard::SocialSecurity));
    }
    let valid_to = match card.valid_to.as_str() {
        "" => None,
        text => Some(compact_date(text).ok_or(ReadError::Damaged)?),
    };
    Ok(Event::SocialSecurityRead(Box::new(Applicant {
        source: IdentitySource::Read,
        name: card.name.clone(),
        id_number: card.id_number.clone(),
        sex: card.sex,
        nation: card.nation.clone(),
        birth: compact_date(&card.birth).or_else(|| birth_of_id_number(&card.id_number)),
        address: String::new(),
        valid_to,
    })))
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

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
