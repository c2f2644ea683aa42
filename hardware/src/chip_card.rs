//! Cards with contacts, and contactless ones that speak ISO 7816: which of ours it is, and what it says.
//!
//! Only two names are ever asked for, the social-security card's and our staff card's. A bank card is not asked who
//! it is: the directory of payment applications (PPSE) is never selected, and no number of such a card is read.
use domain::applicant::id_number_kind;

use crate::card_reader::{CardData, ReadError};
use crate::iso7816::{Choice, Dialogue, IsoError};
use crate::transport::ApduChannel;
use crate::{social_security, staff_card};

/// Why a card was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// Nothing here speaks ISO 7816: a plain reader without a card that it can talk to.
    #[error("nothing here speaks ISO 7816")]
    NoCard,
    /// A card, and none of ours.
    #[error("the card has no application that is read here")]
    Unknown,
    /// One of ours, and it failed.
    #[error("the card could not be read")]
    Failed(#[source] ReadError),
}

/// Reads whichever of our cards is at the other end.
///
/// # Errors
/// [`NotRead`].
pub fn read(channel: &mut impl ApduChannel) -> Result<CardData, NotRead> {
    let mut dialogue = Dialogue::new(channel);
    let first = selects(&mut dialogue, &social_security::AID)?;
    if first == Selected::Yes {
        let card = social_security::read_application(&mut dialogue).map_err(NotRead::Failed)?;
        let number_good = card.id_number.is_empty() || id_number_kind(&card.id_number, None).is_ok();
        return if number_good {
            Ok(CardData::SocialSecurity(card))
        } else {
            Err(NotRead::Failed(ReadError::Damaged))
        };
    }
    let second = selects(&mut dialogue, &staff_card::AID)?;
    match (first, second) {
        (_, Selected::Yes) => {
            staff_card::read_application(&mut dialogue).map(CardData::Staff).map_err(NotRead::Failed)
        }
        (Selected::NoCard, Selected::NoCard) => Err(NotRead::NoCard),
        _ => Err(NotRead::Unknown),
    }
}

/// What a SELECT came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selected {
    Yes,
    No,
    NoCard,
}

fn selects<C: ApduChannel>(dialogue: &mut Dialogue<'_, C>, name: &[u8]) -> Result<Selected, NotRead> {
    match dialogue.select(Choice::Application(name)) {
        Ok(_) => Ok(Selected::Yes),
        Err(IsoError::Status(status)) if status.is_of_a_card() => Ok(Selected::No),
        Err(IsoError::Status(_) | IsoError::Short) => Ok(Selected::NoCard),
        Err(error) => Err(NotRead::Failed(error.into())),
    }
}
