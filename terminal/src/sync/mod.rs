//! Sending what waits and hearing what is new: a pure planner, a transport, and the engine between them.
//!
//! Nothing here decides what a citizen sees: it moves rows of the store and reports events.
mod beat;
pub mod catalogue_client;
mod client;
mod engine;
mod enrol;
pub mod http;
mod news;
mod offer;
mod pace;
mod pages;
pub mod plan;
mod reach;
mod renewal;
pub mod tls;
pub mod transport;
mod tuning;

pub use engine::{Begun, Engine, Step};
pub use enrol::{EnrolError, enrol};
pub use reach::{Reachable, reach};
pub use renewal::Renewing;
pub use tuning::{Lane, Tuning};
