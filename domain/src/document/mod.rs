//! Documents: what a slip's QR code says, and QR codes as module matrices (any renderer draws them).
pub mod qr;
pub mod slip_code;
