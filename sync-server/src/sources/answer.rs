//! What a source answers: `{"id", "on", "values"}`, bounded; `id` is that of the request. The same answer twice is one
//! answer; two different ones are none, because nobody knows which of them holds.
use std::collections::BTreeMap;

use domain::date::CivilDate;
use domain::rules::{Evidence, FactValue, Why};
use serde::Deserialize;

use super::Request;

/// The most bytes of an answer.
pub const MAX_ANSWER_BYTES: usize = crate::loopback::MAX_BODY_BYTES;
/// The most values of one.
const MAX_VALUES: usize = 200;

#[derive(Deserialize, PartialEq, Eq)]
struct Answer {
    id: String,
    on: CivilDate,
    values: BTreeMap<String, FactValue>,
}

/// Reads the bytes of an answer; what makes no sense is no answer.
pub fn read_answer(bytes: &[u8], request: &Request) -> Evidence {
    let values = understood(bytes, request);
    match values {
        Some(Answer { on, values, .. }) => Evidence { on, answer: Ok(values) },
        None => Evidence { on: request.on, answer: Err(Why::Unusable) },
    }
}

fn understood(bytes: &[u8], request: &Request) -> Option<Answer> {
    if bytes.len() > MAX_ANSWER_BYTES {
        return None;
    }
    let mut said = serde_json::Deserializer::from_slice(bytes).into_iter::<Answer>();
    let first = said.next()?.ok()?;
    if said.any(|again| again.ok().as_ref() != Some(&first)) {
        return None;
    }
    (first.id == request.id && first.values.len() <= MAX_VALUES).then_some(first)
}
