//! What the form of a window sent: texts and files of one multipart body, bounded in all its parts.
//!
//! Refuses what no form of ours sends. A file that is too large is no reason to lose what was typed: it is named, and
//! the form is drawn again.
use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartError};
use hardware::image::Policy;

use crate::error::{ProblemCode, ServiceError};
use crate::pages::MAX_TRIAL_BYTES;

/// Bytes of a body, at most: a file that is too large is read as far as this, so that the form can say so.
pub const MAX_WINDOW_FORM_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of one file as it is brought, at most.
pub const MAX_BROUGHT_BYTES: usize = Policy::PAGE.max_bytes;
/// Fields of a form, at most.
const MAX_FIELDS: usize = 3_000;
/// Files at once, at most.
pub const MAX_FILES: usize = 10;
/// What the names of the inputs of files begin with.
const FILE: &str = "_file.";

/// See the module. Never printed: it is a person's.
#[derive(Default)]
pub struct Sent {
    /// Names and texts.
    pub pairs: Vec<(String, String)>,
    /// Files with the paths of their fields.
    pub files: Vec<(String, Bytes)>,
}

impl Sent {
    /// Reads a body.
    ///
    /// # Errors
    /// [`ServiceError`]: `too-large` or `malformed-request`.
    pub async fn read(mut body: Multipart) -> Result<Self, ServiceError> {
        let (mut sent, mut bytes) = (Self::default(), 0);
        while let Some(field) = body.next_field().await.map_err(|e| refused(&e))? {
            let name = field.name().unwrap_or_default().to_owned();
            if let Some(path) = name.strip_prefix(FILE) {
                let content = field.bytes().await.map_err(|e| refused(&e))?;
                if !content.is_empty() {
                    sent.files.push((path.to_owned(), content));
                }
            } else {
                let value = field.text().await.map_err(|e| refused(&e))?;
                bytes += name.len() + value.len();
                if name.contains('\0') || value.contains('\0') {
                    return Err(ServiceError::refused(ProblemCode::MalformedRequest, "a text with NUL"));
                }
                sent.pairs.push((name, value));
            }
            if bytes > MAX_TRIAL_BYTES || sent.pairs.len() > MAX_FIELDS || sent.files.len() > MAX_FILES {
                return Err(ProblemCode::TooLarge.into());
            }
        }
        Ok(sent)
    }

    /// The text of a name; empty if it did not come.
    pub fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
    }
}

fn refused(error: &MultipartError) -> ServiceError {
    match error.status().as_u16() {
        413 => ProblemCode::TooLarge.into(),
        _ => ServiceError::refused(ProblemCode::MalformedRequest, "not a form of ours"),
    }
}
