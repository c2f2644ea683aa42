//! What a form of ours sent: known fields, each once, bounded, without NUL. Never printed: a field may be a password.
use axum::Form;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse as _;

use crate::error::{ProblemCode, ServiceError};
use crate::shell::problem::Refusal;

/// Bytes of a form as it travels, at most.
pub const MAX_FORM_BYTES: usize = 16 * 1024;

/// The longest text that is searched for, in characters.
const MAX_SEARCHED_CHARS: usize = 40;

/// A text that somebody searches for, as a list takes it: without control characters and blanks around it, cut.
pub fn searched(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(MAX_SEARCHED_CHARS).collect()
}

/// Names and values in the order in which they came.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields, if there are none but these and each comes once. Whoever sends more, such as a role of his own
    /// choice, is refused.
    ///
    /// # Errors
    /// [`ServiceError`]: `malformed-request`.
    pub fn only(self, names: &[&str]) -> Result<Self, ServiceError> {
        for (place, (name, _)) in self.0.iter().enumerate() {
            let twice = self.0[..place].iter().any(|(n, _)| n == name);
            if twice || !names.contains(&name.as_str()) {
                let detail = "a field that this form does not have, or one that stands twice";
                return Err(ServiceError::refused(ProblemCode::MalformedRequest, detail));
            }
        }
        Ok(self)
    }

    /// Names and values as they came, for forms whose fields are not known beforehand.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// The value of a field; empty if it did not come.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// Whether a field came, such as a box that was ticked.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let read = Form::<Vec<(String, String)>>::from_request(request, state).await;
        let Form(pairs) = read.map_err(|rejection| {
            let code = match rejection.into_response().status().as_u16() {
                413 => ProblemCode::TooLarge,
                415 => ProblemCode::UnsupportedMediaType,
                _ => ProblemCode::MalformedRequest,
            };
            ServiceError::from(code)
        })?;
        if pairs.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(ServiceError::refused(ProblemCode::MalformedRequest, "a text with NUL").into());
        }
        Ok(Self(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn unknown_and_doubled_fields_are_refused() {
        let form = fields(&[("name", "zhang"), ("clerk", "on")]).only(&["name", "clerk", "to"]).ok();
        let form = form.expect("known fields");
        assert_eq!(
            (form.get("name"), form.get("to"), form.has("clerk"), form.has("to")),
            ("zhang", "", true, false)
        );
        assert!(fields(&[("name", "a"), ("admin", "on")]).only(&["name"]).is_err());
        assert!(fields(&[("name", "a"), ("name", "b")]).only(&["name"]).is_err());
        assert!(fields(&[]).only(&[]).is_ok());
    }
}
