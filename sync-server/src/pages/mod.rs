//! HTML for people: the console of the centre, the page behind a slip's QR code, and what a problem means.
//!
//! Pages show no name and no ID number at all. No inline script or style. There is no sign-in yet, so this listener
//! binds to loopback only.
mod case;
mod cases;
mod error;
mod frame;
mod slip;
mod statics;
mod view;

pub use case::case;
pub use cases::{cases, home};
pub use error::{error_page, problem};
pub use slip::slip;
pub use statics::static_file;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::error::ServiceError;
use crate::shell::problem::Refusal;

/// A page, or a problem that becomes a page.
pub type Page = Result<Response, Refusal>;

fn render(template: &impl Template) -> Page {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(e) => Err(ServiceError::Inconsistent(format!("a page could not be drawn: {e}")).into()),
    }
}
