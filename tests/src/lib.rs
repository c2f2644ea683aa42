//! The harness of all stories: real processes, a real pcscd, nothing left behind.
pub mod binaries;
pub mod centre;
pub mod device;
pub mod http;
pub mod link;
pub mod pcscd;
pub mod postgres;
pub mod server;
pub mod signing_proxy;
pub mod submission;
pub mod visit;
