//! 支付网关: how an order is made, asked about, closed and refunded, and how the gateway's call-backs are believed.
//!
//! A trait, and one way over HTTP to an address of this machine; a proxy there speaks TLS to a real gateway. Both sides sign
//! ([`sign`]). Refuses whatever is not signed, old, or about something else than was asked.
mod http;
mod settings;
pub mod sign;

use domain::money::Fen;
use serde::{Deserialize, Serialize};

pub use http::HttpGateway;
pub use settings::{FILE, GatewaySettings, SettingsError};

/// A payment, as call-backs and answers tell it. No card number and no payer: what else a gateway says is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The gateway's number of it.
    pub transaction: String,
    /// Our number of the order.
    pub order: String,
    /// How much, in the smallest unit of the currency.
    pub fen: Fen,
    /// In which currency, such as `CNY`.
    pub currency: String,
    /// When, milliseconds since 1970.
    pub paid_at_ms: i64,
}

/// An order to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Our number of it.
    pub order: String,
    /// How much.
    pub fen: Fen,
    /// In which currency.
    pub currency: String,
    /// Last moment to pay, milliseconds since 1970.
    pub until_ms: i64,
    /// Where call-backs go.
    pub notify_url: String,
}

/// What goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundOrder {
    /// Our number of it: the same each time it is tried. Made of the number of the payment, at most 63 letters, digits,
    /// `-` and `_`.
    pub refund: String,
    /// Of which payment.
    pub transaction: String,
    /// How much.
    pub fen: Fen,
}

/// Where a refund stands at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundAnswer {
    /// It is done.
    Done,
    /// It is under way: asking again with the same number tells more.
    UnderWay,
    /// It was refused.
    Refused,
}

/// The gateway gives no answer that can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// It does not answer, or not with success.
    #[error("the gateway does not answer")]
    Away,
    /// Its answer is not signed by it, too old, or makes no sense.
    #[error("the gateway's answer cannot be believed")]
    Nonsense,
}

/// A way to a gateway. Each call may be made again: the gateway knows orders and refunds by our numbers.
pub trait Gateway: Send {
    /// Makes an order; gives where it is paid.
    ///
    /// # Errors
    /// [`GatewayError`]; so do all below.
    fn order(&self, order: &Order) -> Result<String, GatewayError>;

    /// All that was paid for an order; nothing for an order that the gateway does not know.
    ///
    /// # Errors
    /// [`GatewayError`]
    fn payments(&self, order: &str) -> Result<Vec<Told>, GatewayError>;

    /// Lets nobody pay for an order any more.
    ///
    /// # Errors
    /// [`GatewayError`]
    fn close(&self, order: &str) -> Result<(), GatewayError>;

    /// Sends money back, and says where that stands.
    ///
    /// # Errors
    /// [`GatewayError`]
    fn refund(&self, refund: &RefundOrder) -> Result<RefundAnswer, GatewayError>;

    /// Whether it is a simulator: every page that leads there says so.
    fn is_simulated(&self) -> bool {
        false
    }
}
