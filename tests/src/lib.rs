//! The harness of all stories: real processes, a real pcscd, nothing left behind.
pub mod bench;
pub mod binaries;
pub mod centre;
pub mod device;
pub mod history;
pub mod http;
pub mod link;
pub mod pcscd;
pub mod postgres;
pub mod server;
pub mod signed;
pub mod signing_proxy;
pub mod storm;
pub mod submission;
pub mod visit;
