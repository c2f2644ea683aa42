//! `POST /api/v1/offers`: receipts that a terminal shows a restored centre.
use domain::envelope::{KeyRing, SignedDocument, SignedKind};
use domain::wire::v1::{MAX_OFFERED, Offer, OfferRequest, OfferResponse};

use super::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::services::{offers, terminals};

impl Centre {
    /// `POST /api/v1/offers`. Waits for the COMMIT.
    ///
    /// # Errors
    /// [`ServiceError`]: malformed, an unknown or blocked terminal, a wrong signature, or the store's.
    pub fn take_offer(&self, request: &OfferRequest) -> Result<OfferResponse, ServiceError> {
        let offer = offer_in(&request.offer)?;
        let sender = self.sender(&offer.terminal, (SignedKind::Offer, &request.offer))?;
        let (now_ms, keys) = (self.now_ms(), KeyRing::new([self.context.keys.receipt.public()]));
        let lacking = self.write(move |tx| {
            terminals::still_active(tx, &sender)?;
            offers::take(tx, now_ms, (&offer.terminal, &keys), &offer.receipts)
        })?;
        Ok(OfferResponse { lacking, contact: self.contact() })
    }
}

/// What an offer says, before anybody knows whose it is.
///
/// # Errors
/// [`ServiceError`]: `malformed-request`, also for one that is too long.
pub fn offer_in(document: &SignedDocument) -> Result<Offer, ServiceError> {
    let refused = |why: &str| ServiceError::refused(ProblemCode::MalformedRequest, why);
    let offer: Offer =
        serde_json::from_slice(&document.body.0).map_err(|_| refused("the body is no offer"))?;
    if offer.receipts.len() > MAX_OFFERED {
        return Err(refused("the offer is too long"));
    }
    Ok(offer)
}
