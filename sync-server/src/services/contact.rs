//! The phone number that a citizen gave with a case: from the form, or from what was added later.
//!
//! It is opened for one message and dropped. Refuses landlines and half numbers: no message reaches them.
use std::sync::Arc;

use domain::form::{Answers, Widget};
use domain::wire::v1::Submission;

use super::Context;
use super::case_key::{self, WrappedKey};
use super::cases::CaseRow;
use super::catalogue::Volume;
use super::submission_form::plain_form;
use super::supplements::{self, SealedSupplement};
use super::unseal::{self, Sealed};
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::store::Tx;

/// Digits of a mobile number in China; the first one is 1.
const MOBILE_DIGITS: usize = 11;
/// Country code before it, as people write it.
const COUNTRY: &str = "86";

/// What a case has, still sealed.
pub struct Contact {
    row: CaseRow,
    key: WrappedKey,
    sealed: Sealed,
    supplements: Vec<SealedSupplement>,
    volume: Option<Arc<Volume>>,
}

/// A number to which messages go. Never printed.
pub struct Mobile(String);

impl Mobile {
    /// The mobile number that a text is, if it is one.
    pub fn of(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let own = digits.strip_prefix(COUNTRY).filter(|own| own.len() == MOBILE_DIGITS).unwrap_or(&digits);
        (own.len() == MOBILE_DIGITS && own.starts_with('1')).then(|| Self(own.to_owned()))
    }

    /// Its eleven digits.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Mobile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mobile(…)")
    }
}

/// What a case has of a number, still sealed; nothing where it was erased or never opened.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn find(
    tx: &mut Tx<'_>,
    context: &Context,
    (row, view): (&CaseRow, &domain::case::CaseView),
) -> Result<Option<Contact>, ServiceError> {
    let id = &row.envelope_id;
    let key = match case_key::find(tx, id) {
        Err(ServiceError::Refused { .. }) => return Ok(None),
        key => key?,
    };
    let Some(sealed) = unseal::find(tx, id)? else { return Ok(None) };
    Ok(Some(Contact {
        key,
        sealed,
        supplements: supplements::of_case(tx, view)?,
        volume: context.shelf.get(tx, row.catalogue_version)?,
        row: row.clone(),
    }))
}

impl Contact {
    /// The number; none if the citizen gave none. Computes only.
    ///
    /// # Errors
    /// [`ServiceError`] if something does not open any more.
    pub fn mobile(&self, keys: &Keys) -> Result<Option<Mobile>, ServiceError> {
        let (_, submission) = self.sealed.open::<Submission>(&self.key.open(keys)?)?;
        let Submission { mut answers, .. } = submission;
        let brought: Vec<_> = self.supplements.iter().map(|s| s.open(keys)).collect::<Result<_, _>>()?;
        supplements::overlay(&mut answers, &brought);
        let form = self.volume.as_deref().zip(self.row.item.as_ref());
        let Some(form) = form.and_then(|(volume, code)| plain_form(volume, code).ok()) else {
            return Ok(None);
        };
        let answers = Answers::from_map(answers);
        // The first one is the applicant's; those after it are other people's.
        let own = form.spec().fields().find(|field| field.widget == Widget::Phone);
        Ok(own.and_then(|field| Mobile::of(answers.text(&field.key))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_mobile_numbers_are_taken_however_they_are_written() {
        for written in ["13900139000", "139 0013 9000", "+86 139-0013-9000", "8613900139000"] {
            assert_eq!(Mobile::of(written).expect(written).digits(), "13900139000");
        }
        for other in ["", "0971-6123456", "1390013900", "139001390000", "23900139000", "一三九", "110"] {
            assert!(Mobile::of(other).is_none(), "{other}");
        }
        assert_eq!(format!("{:?}", Mobile::of("13900139000")), "Some(Mobile(…))");
    }
}
