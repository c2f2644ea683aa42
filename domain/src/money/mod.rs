//! 缴费: bills, payments and refunds as pure rules, in whole fen. No amount is ever a floating number.
//!
//! A bill is the fold of its append-only events; whatever was received is at each moment kept, given back, or to be given
//! back. Refuses to know gateways, clocks and cases: who pays, and how a case goes on, is said by others.
mod bill;
mod event;
mod fee;
mod fen;

pub use bill::{Bill, BillError, BillState, MAX_PAYMENTS, MAX_TRIES, Payment, Refund, RefundState, Why};
pub use event::{BillEvent, Stray};
pub use fee::{Fee, bases};
pub use fen::{Fen, FenError};
