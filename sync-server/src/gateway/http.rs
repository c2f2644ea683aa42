//! The gateway over HTTP with JSON at an address of this machine; each call and each answer signed.
use domain::money::Fen;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::sign::{NONCE, SIGNATURE, TIMESTAMP, believe, sign};
use super::{Gateway, GatewayError, GatewaySettings, Order, RefundAnswer, RefundOrder, Told};
use crate::loopback;

/// Payments of one order that are taken from an answer, at most.
const MAX_TOLD: usize = 200;

/// One gateway.
pub struct HttpGateway {
    settings: GatewaySettings,
    now_ms: Box<dyn Fn() -> i64 + Send>,
    nonce: Box<dyn Fn() -> String + Send>,
}

#[derive(Deserialize)]
struct Made {
    pay_url: String,
}

#[derive(Deserialize)]
struct Payments {
    payments: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Closed {
    closed: bool,
}

#[derive(Deserialize)]
struct Refunded {
    transaction: String,
    state: RefundAnswer,
    fen: Fen,
}

impl HttpGateway {
    /// A gateway with these settings, a clock, and a source of nonces.
    pub fn new(
        settings: GatewaySettings,
        now_ms: impl Fn() -> i64 + Send + 'static,
        nonce: impl Fn() -> String + Send + 'static,
    ) -> Self {
        Self { settings, now_ms: Box::new(now_ms), nonce: Box::new(nonce) }
    }

    fn call<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, GatewayError> {
        let key = &self.settings.key;
        let body = serde_json::to_vec(&json!({ "merchant": self.settings.merchant, "what": body }))
            .map_err(|_| GatewayError::Nonsense)?;
        let (at_ms, nonce) = ((self.now_ms)(), (self.nonce)());
        let signed = sign(key, &format!("POST {path}"), (at_ms, &nonce), &body);
        let stamp = at_ms.to_string();
        let fields = [(TIMESTAMP, stamp.as_str()), (NONCE, &nonce), (SIGNATURE, &signed.signature)];
        let address = self.settings.address.to_string();
        let answer = loopback::post(&address, path, &fields, &body).ok_or(GatewayError::Away)?;
        let now_ms = (self.now_ms)();
        believe(key, &format!("ANSWER {nonce}"), |name| answer.field(name), (now_ms, &answer.body))
            .map_err(|_| GatewayError::Nonsense)?;
        serde_json::from_slice(&answer.body).map_err(|_| GatewayError::Nonsense)
    }
}

impl Gateway for HttpGateway {
    fn order(&self, order: &Order) -> Result<String, GatewayError> {
        let Made { pay_url } = self.call("/v1/orders", order)?;
        // Nobody is led to a page of somebody else.
        let scheme = pay_url.starts_with("http://") || pay_url.starts_with("https://");
        let plain = |b: u8| b.is_ascii_alphanumeric() || b":/.-_?=&%[]".contains(&b);
        let fits = scheme && pay_url.len() <= 200 && pay_url.bytes().all(plain);
        if fits { Ok(pay_url) } else { Err(GatewayError::Nonsense) }
    }

    fn payments(&self, order: &str) -> Result<Vec<Told>, GatewayError> {
        let Payments { payments } = self.call("/v1/orders/query", &json!({ "order": order }))?;
        if payments.len() > MAX_TOLD {
            return Err(GatewayError::Nonsense);
        }
        // What is no payment of this order holds up no payment that is one.
        let (told, odd): (Vec<_>, Vec<_>) = payments
            .into_iter()
            .map(|told| serde_json::from_value::<Told>(told).ok().filter(|told| told.order == order))
            .partition(Option::is_some);
        if !odd.is_empty() {
            tracing::error!(order, "the gateway tells {} things that are no payments of it", odd.len());
        }
        Ok(told.into_iter().flatten().collect())
    }

    fn close(&self, order: &str) -> Result<(), GatewayError> {
        let Closed { closed } = self.call("/v1/orders/close", &json!({ "order": order }))?;
        if closed { Ok(()) } else { Err(GatewayError::Nonsense) }
    }

    fn refund(&self, refund: &RefundOrder) -> Result<RefundAnswer, GatewayError> {
        let Refunded { transaction, state, fen } = self.call("/v1/refunds", refund)?;
        if fen == refund.fen && transaction == refund.transaction {
            return Ok(state);
        }
        // What was done for other money proves nothing about this, and no later answer will: a person has to look.
        let number = refund.refund.as_str();
        tracing::error!(number, "the gateway knows that refund with another payment or amount");
        Ok(RefundAnswer::Refused)
    }

    fn is_simulated(&self) -> bool {
        self.settings.simulated
    }
}
