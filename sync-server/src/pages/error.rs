//! Errors as pages, with the same words as the API: what happened, is anything lost, what to do.
use askama::Template;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use domain::text::Language;
use domain::wire::v1::Problem;

use super::{Page, render};
use crate::error::{ProblemCode, ServiceError};
use crate::shell::problem::status_of;
use crate::words::Words;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    w: Words,
    title: String,
    what: String,
    safe: String,
    next: String,
    code: String,
    request: Option<String>,
}

/// `/problems/{code}`: what a problem means.
pub async fn problem(code: Result<Path<String>, PathRejection>) -> Page {
    let code = code.ok().and_then(|Path(c)| ProblemCode::from_code(&c));
    let code = code.ok_or_else(|| ServiceError::from(ProblemCode::NotFound))?;
    render(&page(code.as_str(), None))
}

/// The page that a failed call shows.
pub fn error_page(problem: &Problem) -> Response {
    let status = status_of(problem);
    let mut page = page(&problem.code, problem.instance.clone());
    page.speak_to_people();
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl ProblemPage {
    /// Problems are described for whoever writes a program; some need other words on a page that a person asked for.
    fn speak_to_people(&mut self) {
        let code = self.code.clone();
        for (name, text) in [("what", &mut self.what), ("next", &mut self.next)] {
            let group = format!("problem_page.{code}");
            let own = self.w.of(&group, name);
            if !own.starts_with(&group) {
                *text = own;
            }
        }
    }
}

fn page(code: &str, request: Option<String>) -> ProblemPage {
    let w = Words(Language::ZhCn);
    let part = |name| w.of(&format!("problem.{code}"), name);
    ProblemPage {
        w,
        title: part("title"),
        what: part("what"),
        safe: part("safe"),
        next: part("next"),
        code: code.to_owned(),
        request,
    }
}
