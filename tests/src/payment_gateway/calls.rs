//! Call-backs: signed anew for each try, until the server answers with success.
use std::sync::PoisonError;

use sync_server::gateway::sign::{NONCE, SIGNATURE, TIMESTAMP, sign};

use super::{AGAIN, Call, KEY, MOST_TRIES, Manner, Shared};
use crate::device::{JSON, now_ms};
use crate::http;

/// Calls back until the gateway ends.
pub(super) fn call_back(shared: &Shared) {
    let mut state = shared.state();
    while !state.ends {
        let silent = matches!(state.manner, Manner::Away | Manner::NoCalls);
        let next = if silent { None } else { state.waiting.pop_front() };
        let Some(mut call) = next else {
            state = shared.changed.wait_timeout(state, AGAIN).unwrap_or_else(PoisonError::into_inner).0;
            continue;
        };
        let (manner, base) = (state.manner, state.calls_go_to.clone());
        drop(state);
        let (status, answer) = try_once(&call, manner, base.as_deref());
        call.tries += 1;
        state = shared.state();
        state.called.push((call.told.transaction.clone(), status, answer));
        shared.changed.notify_all();
        if status != 200 && call.tries < MOST_TRIES {
            state.waiting.push_back(call);
            state = shared.changed.wait_timeout(state, AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The bytes and fields of a call-back as it is sent now.
pub(super) fn signed(
    told: &sync_server::gateway::Told,
    key: &[u8; 32],
    at_ms: i64,
) -> (Vec<u8>, [(String, String); 3]) {
    let body = serde_json::to_vec(told).unwrap_or_default();
    let nonce = format!("{at_ms:016x}{}", told.transaction);
    let signed = sign(key, "POST /payments/notify", (at_ms, &nonce), &body);
    let fields = [(TIMESTAMP, at_ms.to_string()), (NONCE, nonce), (SIGNATURE, signed.signature)];
    (body, fields.map(|(name, value)| (name.to_owned(), value)))
}

fn try_once(call: &Call, manner: Manner, base: Option<&str>) -> (u16, String) {
    let key = if manner == Manner::OtherKey { [1; 32] } else { KEY };
    let (body, fields) = signed(&call.told, &key, now_ms());
    let Some(at) = call.url.find("/payments/notify") else { return (0, "no address".to_owned()) };
    let (own, path) = call.url.split_at(at);
    let mut headers = vec![JSON];
    headers.extend(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    match http::post(base.unwrap_or(own), path, &headers, &body) {
        Ok(answer) if answer.status == 200 && !answer.text().contains("SUCCESS") => (0, answer.text()),
        Ok(answer) => (answer.status, answer.text()),
        Err(e) => (0, format!("{e:#}")),
    }
}
