//! The window desk over a real server: a clerk calls, opens a form for whoever stands there, and what comes of it is a
//! case like any other.
mod browser;
mod hostile;
mod kept;
mod once;
mod story;
mod visits;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::wire::v1::Submission;
use serde_json::{Map, Value, json};
use sync_server::auth::role::Role;
use tests::device::courier;
use tests::http::{self, Answer};
use tests::people::{OWN_PAGE, Person};
use tests::server::Server;

use crate::desk::HALL;

/// A person of nobody's region (样例), and the name.
const ID_NUMBER: &str = "639900199005201035";
const NAME: &str = "样小川";
/// An item that wants a scan.
const SCANNED: &str = "nhsa.info-change";

/// A server with two clerks at windows.
struct Window {
    server: Server,
    clerk: Person,
    other: Person,
}

/// A form that a clerk began.
struct Form {
    path: String,
}

/// What a form sends besides files: names and values.
pub type Fields = Vec<(String, String)>;

impl Window {
    fn new() -> Result<Self> {
        let server = Server::start()?;
        let person = |name| server.person_of((name, HALL), &[Role::Window]);
        Ok(Self { clerk: person("窗甲")?, other: person("窗乙")?, server })
    }

    fn page(&self, who: &Person, path: &str) -> Result<String> {
        let answer = self.server.page_of(who, path)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        Ok(answer.text())
    }

    fn status(&self, who: &Person, path: &str) -> Result<u16> {
        Ok(self.server.page_of(who, path)?.status)
    }

    /// Calls the next person to window 3.
    fn call(&self, kind: &str) -> Result<Answer> {
        self.server.submit(&self.clerk.cookie, "/window/call", &[("window", "3"), ("kind", kind)])
    }

    /// Sends what stands on the page that asks who applies, with other values.
    fn asks(&self, code: &str, values: &[(&str, &str)]) -> Result<Answer> {
        let path = format!("/window/start/{code}");
        let page = self.page(&self.clerk, &path)?;
        self.asks_with(&path, &hidden(&page, "form")?, values)
    }

    fn asks_with(&self, path: &str, form: &str, values: &[(&str, &str)]) -> Result<Answer> {
        let whole = [
            ("form", form),
            ("with", ""),
            ("window", "3"),
            ("kind", "window"),
            ("number", ID_NUMBER),
            ("name", NAME),
            ("address", ""),
        ];
        let value = |name: &str, plain| values.iter().find(|(n, _)| *n == name).map_or(plain, |(_, v)| *v);
        let fields = whole.map(|(name, plain)| (name, value(name, plain)));
        self.server.submit(&self.clerk.cookie, path, &fields)
    }

    /// Begins the form of an item or bundle for the courier.
    fn begins(&self, code: &str) -> Result<Form> {
        let answer = self.asks(code, &[])?;
        Ok(Form { path: leads_to(&answer)?.to_owned() })
    }

    /// Sends a form as a browser does.
    fn sends(&self, who: &Person, form: &Form, fields: &Fields, files: &[(&str, &[u8])]) -> Result<Answer> {
        sends_to(&self.server.people, &who.cookie, &form.path, (fields, files))
    }

    /// Hands in, and gives the number of the case.
    fn hands_in(&self, form: &Form, submission: &Submission) -> Result<String> {
        let answer = self.sends(&self.clerk, form, &fields(submission, "submit"), &[])?;
        let path = leads_to(&answer)?;
        Ok(path.strip_prefix("/window/slips/").context("a slip")?.to_owned())
    }

    /// The courier's case of an item that asks for no scan.
    fn opens(&self) -> Result<(Form, String)> {
        let form = self.begins(tests::device::ITEM)?;
        let number = self.hands_in(&form, &courier())?;
        Ok((form, number))
    }

    /// Waits until a case is in a state.
    fn settles(&self, number: &str, state: &str) -> Result<()> {
        let sql = format!("SELECT COUNT(*) FROM case_ WHERE number = '{number}' AND state = '{state}'");
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if self.server.number(&sql)? == 1 {
                return Ok(());
            }
        }
        let words = self.page(&self.clerk, &format!("/window/slips/{number}"))?;
        anyhow::bail!("{number} did not become {state}: {words}")
    }

    fn count(&self, table: &str) -> Result<i64> {
        self.server.number(&format!("SELECT COUNT(*) FROM {table}"))
    }
}

/// Sends a multipart form as a browser does.
pub fn sends_to(
    people: &str,
    cookie: &str,
    path: &str,
    (fields, files): (&Fields, &[(&str, &[u8])]),
) -> Result<Answer> {
    const EDGE: &str = "edge-of-a-part-7Jk2";
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--{EDGE}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(value.as_bytes());
        body.extend_from_slice(b"\r\n");
    }
    for (name, bytes) in files {
        let head = format!(
            "--{EDGE}\r\ncontent-disposition: form-data; name=\"_file.{name}\"; filename=\"scan\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{EDGE}--\r\n").as_bytes());
    let media_type = format!("multipart/form-data; boundary={EDGE}");
    let headers = [("content-type", media_type.as_str()), OWN_PAGE, ("cookie", cookie)];
    http::post(people, path, &headers, &body)
}

/// A form with these answers and this button.
fn fields(submission: &Submission, deed: &str) -> Fields {
    filled(&submission.answers, submission, deed)
}

fn filled(answers: &Map<String, Value>, submission: &Submission, deed: &str) -> Fields {
    let state = json!({ "rest": answers, "given": {}, "told": [] });
    let mut fields = vec![
        ("_state".to_owned(), state.to_string()),
        ("_page".to_owned(), "9".to_owned()),
        ("_do".to_owned(), deed.to_owned()),
    ];
    for (question, options) in submission.situation.iter().flatten() {
        let name = format!("_s.{question}");
        fields.extend(options.iter().map(|option| (name.clone(), option.clone())));
        if options.is_empty() {
            fields.push((name, "-".to_owned()));
        }
    }
    fields
}

/// A change of a name, which wants a scan; its answers without the scan.
fn change_of_name() -> Submission {
    let mut submission = courier();
    let sign = submission.answers["sign"].clone();
    let answers =
        json!({ "change_item": "姓名", "new_value": "样大川", "phone": "13900139000", "sign": sign });
    submission.answers = answers.as_object().cloned().unwrap_or_default();
    let chosen = ("what".to_owned(), std::iter::once("name".to_owned()).collect());
    submission.situation.get_or_insert_default().extend([chosen]);
    submission
}

/// The value of a hidden field.
pub fn hidden(page: &str, name: &str) -> Result<String> {
    let mark = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let rest = page.split(&mark).nth(1).with_context(|| format!("no {name} in {page}"))?;
    Ok(plain(rest.split('"').next().unwrap_or_default()))
}

/// A text of a page without its escapes.
fn plain(text: &str) -> String {
    let table = [("&#34;", "\""), ("&#60;", "<"), ("&#62;", ">"), ("&#39;", "'"), ("&#38;", "&")];
    table.iter().fold(text.to_owned(), |text, (escaped, sign)| text.replace(escaped, sign))
}

/// Where an answer leads.
fn leads_to(answer: &Answer) -> Result<&str> {
    ensure!(answer.status == 303, "{}: {}", answer.status, answer.text());
    answer.header("location").context("a location")
}
