//! What a person is searched for by: HMACs of the ID number and of the folded full name, exact and never shown.
use domain::applicant::fold_name;
use domain::wire::v1::Person;

use crate::keys::Keys;

/// The kind of an ID number.
pub const ID_NUMBER: &str = "id_number";
/// The kind of a full name.
pub const NAME: &str = "name";

/// The key of a person's ID number.
pub fn id_number(keys: &Keys, person: &Person) -> [u8; 32] {
    keys.person_hmac(ID_NUMBER, &person.id_number.trim().to_ascii_uppercase())
}

/// The key of a person's name.
pub fn name(keys: &Keys, person: &Person) -> [u8; 32] {
    keys.person_hmac(NAME, &fold_name(&person.name))
}
