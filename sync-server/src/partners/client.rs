//! Asks another centre: sends it a message, and reads what it takes from elsewhere. What it says counts only with its
//! signature, whatever stands in between.
use domain::envelope::{Digest, SignedDocument, SignedKind, verify_document};
use domain::handoff::Adcode;
use domain::ids::{EnvelopeId, ItemCode};
use domain::wire::v1::{
    MAX_PARTNER_FORM_BYTES, MAX_PARTNER_ITEMS, PARTNER_VERSION, PartnerAnswer, PartnerForm, PartnerItems,
    PartnerReceipt, PartnerRequest,
};
use serde::de::DeserializeOwned;

use super::Partner;
use crate::loopback::{Ask, exchange, local};

/// Bytes of an answer, at most: base64 of a form, and of a list.
const MOST: usize = 2 * MAX_PARTNER_FORM_BYTES;

/// Why there is no answer that counts; a message is sent again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// Nobody answers, or what answers speaks otherwise.
    #[error("no answer")]
    None,
    /// It answers with this status.
    #[error("status {0}")]
    Status(u16),
    /// It does not take this from elsewhere, or not any more.
    #[error("not taken from elsewhere")]
    NotTaken,
    /// Its signature does not hold, or it answers something else than was asked.
    #[error("an answer that is not the partner's")]
    Forged,
}

/// Sends a message; gives the receipt if it is the partner's and for exactly these bytes.
///
/// # Errors
/// [`Silence`]
pub fn send(
    partner: &Partner,
    (id, message): (&EnvelopeId, SignedDocument),
) -> Result<PartnerReceipt, Silence> {
    let digest = Digest::of(&message.body.0);
    let body = serde_json::to_vec(&PartnerRequest { message }).map_err(|_| Silence::None)?;
    let answer: PartnerAnswer = ask(partner, ("POST", "/api/v1/partner/messages", &body))?;
    let receipt: PartnerReceipt = signed(partner, SignedKind::PartnerReceipt, &answer.receipt)?;
    if receipt.message == *id && receipt.digest == digest { Ok(receipt) } else { Err(Silence::Forged) }
}

/// What a partner takes from elsewhere.
///
/// # Errors
/// [`Silence`]
pub fn items_of(partner: &Partner) -> Result<PartnerItems, Silence> {
    let document = ask(partner, ("GET", "/api/v1/partner/items", b""))?;
    let items: PartnerItems = signed(partner, SignedKind::PartnerItems, &document)?;
    let sound = is_of(partner, (items.v, &items.region)) && items.items.len() <= MAX_PARTNER_ITEMS;
    if sound { Ok(items) } else { Err(Silence::Forged) }
}

/// The form of an item as the partner has it now.
///
/// # Errors
/// [`Silence`]
pub fn form_of(partner: &Partner, code: &ItemCode) -> Result<PartnerForm, Silence> {
    let document = ask(partner, ("GET", &format!("/api/v1/partner/items/{code}"), b""));
    let document = document.map_err(|silence| match silence {
        Silence::Status(404) => Silence::NotTaken,
        other => other,
    })?;
    let form: PartnerForm = signed(partner, SignedKind::PartnerForm, &document)?;
    let sound = is_of(partner, (form.v, &form.region)) && form.item.code == *code;
    if sound { Ok(form) } else { Err(Silence::Forged) }
}

fn is_of(partner: &Partner, (v, region): (u32, &Adcode)) -> bool {
    v == PARTNER_VERSION && *region == partner.adcode
}

fn ask<T: DeserializeOwned>(
    partner: &Partner,
    (method, path, body): (&str, &str, &[u8]),
) -> Result<T, Silence> {
    let address = local(&partner.address).ok_or(Silence::None)?;
    let ask = Ask { method, path, fields: &[], body, most: MOST };
    let answer = exchange(address, ask).ok_or(Silence::None)?;
    if answer.status != 200 {
        return Err(Silence::Status(answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|_| Silence::Forged)
}

fn signed<T: DeserializeOwned>(
    partner: &Partner,
    kind: SignedKind,
    document: &SignedDocument,
) -> Result<T, Silence> {
    let bytes = verify_document(kind, document, &partner.ring()).map_err(|_| Silence::Forged)?;
    serde_json::from_slice(bytes).map_err(|_| Silence::Forged)
}
