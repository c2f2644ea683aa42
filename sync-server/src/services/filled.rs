//! The form of a case as it is filled until now: the submission with what supplements brought laid over it, and what
//! else its rules see. Plain text, for as long as new answers are judged against it. Refuses to be printed.
use domain::form::{Answers, Facts, FieldError, Form};
use domain::wire::v1::{Person, Submission};
use serde_json::{Map, Value as Json};

use super::case_key::WrappedKey;
use super::cases::CaseRow;
use super::catalogue::Volume;
use super::submission_form::{facts, filled_on, opened_form};
use super::supplements::{self, SealedSupplement, is_material};
use super::unseal::Sealed;
use crate::error::ServiceError;
use crate::keys::Keys;

/// See the module.
pub struct Filled {
    /// The form, adjusted to the situation.
    pub form: Form,
    /// What its rules see besides the answers.
    pub facts: Facts,
    /// Who applied.
    pub applicant: Person,
    answers: Answers,
}

impl Filled {
    /// Opens the submission and the supplements that came before.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if something does not open any more, or the form is gone.
    pub fn open(
        row: &CaseRow,
        volume: Option<&Volume>,
        (key, first): &(WrappedKey, Sealed),
        before: &[SealedSupplement],
        keys: &Keys,
    ) -> Result<Self, ServiceError> {
        let (header, submission) = first.open::<Submission>(&key.open(keys)?)?;
        let Submission { applicant, mut answers, situation } = submission;
        let form = opened_form(volume, row, situation.as_ref())?;
        let before: Vec<_> = before.iter().map(|before| before.open(keys)).collect::<Result<_, _>>()?;
        supplements::overlay(&mut answers, &before);
        let facts = facts(&applicant, filled_on(&header, first.accepted_at_ms));
        Ok(Self { form, facts, applicant, answers: Answers::from_map(answers) })
    }

    /// The answers once new ones have taken the place of old ones.
    pub fn with(&self, new: &Map<String, Json>) -> Answers {
        let mut answers = self.answers.as_map().clone();
        let fields = new.iter().filter(|(key, _)| !is_material(key));
        answers.extend(fields.map(|(key, value)| (key.clone(), value.clone())));
        Answers::from_map(answers)
    }

    /// What the form says of them, about whatever field.
    pub fn errors(&self, new: &Map<String, Json>) -> Vec<FieldError> {
        self.form.validate_with(&self.with(new), &self.facts)
    }
}

/// The key of a field or repeat group in which a path lies.
pub fn base(path: &str) -> &str {
    path.split(['[', '.']).next().unwrap_or(path)
}
