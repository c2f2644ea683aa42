//! What the public may know of a certificate: with number and token its page, with neither the list of those revoked.
//!
//! Refuses to tell an unknown number from a wrong token.
use std::collections::BTreeMap;

use domain::certificate::RevocationList;
use domain::certificate::list::MAX_REVOKED;
use domain::date::CivilDate;
use domain::envelope::SignedDocument;

use super::issue::TOKEN;
use super::{Issued, by_number};
use crate::error::{ProblemCode, ServiceError};
use crate::services::{Context, case_key, cases, meta};
use crate::store::Tx;

/// A certificate as whoever holds it sees its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicView {
    /// What is not sealed.
    pub issued: Issued,
    /// Masked name and number of its holder; none once the case is erased.
    pub holder: Option<(String, String)>,
    /// It was issued over sample data.
    pub sample: bool,
}

/// The certificate that a number and a token name, as they were typed; none if there is none, or the token is another.
/// The token is compared by its keyed hash, whose differences tell nothing.
///
/// # Errors
/// [`ServiceError`] if it does not open, or the store fails.
pub fn find_public(
    tx: &mut Tx<'_>,
    context: &Context,
    (number, token): (&str, &str),
) -> Result<Option<PublicView>, ServiceError> {
    let hash = context.keys.person_hmac(TOKEN, &format!("{number}:{token}"));
    let Ok(number) = number.parse() else { return Ok(None) };
    let Some(stored) = by_number(tx, &number)?.filter(|stored| stored.token_hash == hash) else {
        return Ok(None);
    };
    let opened = match case_key::find(tx, &stored.issued.envelope_id) {
        Ok(key) => stored.open(&key.open(&context.keys)?)?,
        // Erased: what it is and whether it is good is still told, and of nobody.
        Err(ServiceError::Refused { code: ProblemCode::NotFound, .. }) => None,
        Err(other) => return Err(other),
    };
    let holder = opened.as_ref().map(|(_, c)| (c.holder.masked_name(), c.holder.masked_id_number()));
    let of_catalogue = match &opened {
        Some((_, certificate)) => certificate.sample,
        // What proves nothing to anybody is told apart for ever.
        None => {
            let case = cases::by_id(tx, &stored.issued.envelope_id)?;
            let volume =
                case.map(|case| context.shelf.get(tx, case.catalogue_version)).transpose()?.flatten();
            volume.is_some_and(|volume| volume.catalogue.is_sample())
        }
    };
    let sample = of_catalogue || meta::sample_data(tx)?.is_some();
    Ok(Some(PublicView { issued: stored.issued, holder, sample }))
}

/// The list of what is revoked, signed: the same bytes all day, until one more is revoked.
///
/// # Errors
/// [`ServiceError`] if there are more than a list holds, or the store fails.
pub fn revoked_list(tx: &mut Tx<'_>, context: &Context, now_ms: i64) -> Result<SignedDocument, ServiceError> {
    let most = u64::try_from(MAX_REVOKED).unwrap_or(u64::MAX).saturating_add(1);
    let rows = tx.query(
        "SELECT number, revoked_at_ms FROM certificate WHERE revoked_at_ms IS NOT NULL ORDER BY number LIMIT $1",
        &[most.into()],
    )?;
    let mut revoked = BTreeMap::new();
    for row in &rows {
        revoked.insert(row.parsed(0)?, CivilDate::in_china(row.int(1)?));
    }
    let version = u64::try_from(revoked.len()).unwrap_or(u64::MAX);
    let list = RevocationList::new(version, CivilDate::in_china(now_ms), revoked);
    let list = list.map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    Ok(list.sign(&context.keys.receipt))
}
