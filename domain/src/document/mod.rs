//! Documents: QR codes as module matrices (any renderer draws them). PDF follows with printing.
pub mod qr;
