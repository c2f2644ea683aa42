//! Plain texts of what refers to a submission: sealed like it before they touch a disk.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Person;

/// Plain text of a 补正: what the citizen adds to a submission, which the envelope's `refers_to` names.
///
/// Pages and photos travel beside it like those of a submission and are counted anew from 1; an answer names them by
/// their digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplement {
    /// Who brings it: the applicant, by the card that was laid or by what was typed.
    pub applicant: Person,
    /// New answers by field key, for the fields that were asked for. They take the place of the old ones.
    #[serde(default)]
    pub answers: Map<String, Value>,
}

impl std::fmt::Debug for Supplement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Supplement({} answers)", self.answers.len())
    }
}

/// Plain text of a 撤回: the applicant takes the submission back that the envelope's `refers_to` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Who withdraws it: the applicant, by the card that was laid or by what was typed.
    pub applicant: Person,
}
