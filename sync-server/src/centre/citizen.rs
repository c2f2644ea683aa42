//! What a citizen at a terminal asks for.
use domain::envelope::{SignedDocument, SignedKind};
use domain::wire::v1::{CitizenQuery, CitizenRequest, CitizenResponse};

use super::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::services::citizen_cases::{self, Wanted};
use crate::services::terminals;

impl Centre {
    /// `POST /api/v1/citizen/cases`.
    ///
    /// # Errors
    /// [`ServiceError`]: `malformed-request`, also for a card that was not read, `signature-invalid`, why there is no
    /// such terminal, or the store's.
    pub fn cases_of_citizen(&self, request: &CitizenRequest) -> Result<CitizenResponse, ServiceError> {
        let query = query_in(&request.query)?;
        let sender = self.sender(&query.terminal, (SignedKind::Citizen, &request.query))?;
        let (now_ms, context) = (self.now_ms(), &self.context);
        let wanted = Wanted::new(&query.applicant, &context.keys)?;
        let cases = self.read(|tx| citizen_cases::of_person(tx, context, &wanted))?;
        let terminal = query.terminal;
        self.write(move |tx| {
            terminals::still_active(tx, &sender)?;
            Ok(citizen_cases::note_looked(tx, now_ms, (&terminal, &wanted))?)
        })?;
        Ok(CitizenResponse { cases, contact: self.contact() })
    }
}

/// What a citizen's query says, before anybody knows whose it is.
///
/// # Errors
/// [`ServiceError`]: `malformed-request`.
pub fn query_in(document: &SignedDocument) -> Result<CitizenQuery, ServiceError> {
    serde_json::from_slice(&document.body.0)
        .map_err(|_| ServiceError::refused(ProblemCode::MalformedRequest, "the body is no query"))
}
