//! A draft whose item was published with another content meanwhile is brought to that content: fields that the draft
//! changed stay as they are in it, all others are taken as they are published now.
use axum::extract::State;
use domain::item::Item;
use serde_json::Value;

use super::parts::PARTS;
use super::typed::{put, value_at};
use super::{Bench, CodeInPath, code_in, read_names};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::Page;
use crate::pages::changes::back;
use crate::pages::form::Fields;
use crate::services::editing::{self, EditError, Request};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;

/// Brings a draft to the newest content of its item.
pub async fn renew_draft(State(app): State<App>, caller: Caller, code: CodeInPath, fields: Fields) -> Page {
    let code = code_in(code)?;
    let form = fields.only(&["version"])?;
    let seen = form.get("version").parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
    let here = format!("/catalogue/items/{code}/draft?saved=1");
    let request = Request { by: caller.account, code, seen };
    match blocking(move || renew(&app, request)).await? {
        None => Ok(see_other(&here)),
        error => Ok(back(error)),
    }
}

fn renew(app: &App, request: Request) -> Result<Option<EditError>, ServiceError> {
    let centre = app.centre.clone();
    let (bench, before) = centre.read(|tx| {
        let bench = Bench::set_up(tx, app, &request.code)?;
        let before = centre.context().shelf.get(tx, bench.made_from())?.ok_or(ProblemCode::NotFound)?;
        Ok::<_, ServiceError>((bench, before))
    })?;
    let json = |item: Option<&Item>| item.and_then(|i| serde_json::to_value(i).ok()).unwrap_or_default();
    let now = json(bench.catalogue.items.get(&request.code));
    let merged = merged(&json(before.catalogue.items.get(&request.code)), &bench.content, &now);
    let Ok(item) = serde_json::from_value::<Item>(merged) else { return Ok(Some(EditError::Unfit)) };
    let (now_ms, version) = (centre.now_ms(), bench.version);
    centre.write(move |tx| Ok(editing::save(tx, now_ms, &request, (version, &item))?.err()))
}

/// What is published now, with the fields that the draft changed.
fn merged(before: &Value, draft: &Value, now: &Value) -> Value {
    let mut merged = now.clone();
    for field in PARTS.iter().flat_map(|part| part.fields) {
        let value = value_at(draft, field.path);
        if value != value_at(before, field.path) {
            put(&mut merged, field.path, (!value.is_null()).then(|| value.clone()));
        }
    }
    read_names(now, &mut merged);
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_draft_changed_stays_and_the_rest_is_new() {
        let item = |name: &str, minutes: u64, note: Value| json!({ "name": { "zh": name }, "guide": { "minutes": minutes, "fee_note": note }, "pinyin": "a" });
        let before = item("甲", 5, json!({ "zh": "旧" }));
        let draft = item("甲", 9, Value::Null);
        let now = item("乙", 5, json!({ "zh": "旧" }));
        let merged = merged(&before, &draft, &now);
        assert_eq!((&merged["name"]["zh"], &merged["guide"]["minutes"]), (&json!("乙"), &json!(9)));
        assert_eq!(merged["guide"].get("fee_note"), None);
    }
}
