//! What a person is searched for by: HMACs of the ID number and of the folded full name, exact and never shown.
use domain::applicant::fold_name;
use domain::ids::EnvelopeId;
use domain::wire::v1::Person;

use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// The kind of an ID number.
pub const ID_NUMBER: &str = "id_number";
/// The kind of a full name.
pub const NAME: &str = "name";

/// The key of a person's ID number.
pub fn id_number(keys: &Keys, person: &Person) -> [u8; 32] {
    of_id_number(keys, &person.id_number)
}

/// The key of an ID number.
pub fn of_id_number(keys: &Keys, number: &str) -> [u8; 32] {
    keys.person_hmac(ID_NUMBER, &number.trim().to_ascii_uppercase())
}

/// Whether an envelope has this key of this kind.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn is_of(tx: &mut Tx<'_>, (kind, hmac): (&str, &[u8; 32]), id: &EnvelopeId) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM person_key WHERE kind = $1 AND hmac = $2 AND envelope_id = $3";
    Ok(tx.query_int(sql, &[kind.into(), hmac.as_slice().into(), id.to_string().into()])? > 0)
}

/// The key of a person's name.
pub fn name(keys: &Keys, person: &Person) -> [u8; 32] {
    keys.person_hmac(NAME, &fold_name(&person.name))
}
