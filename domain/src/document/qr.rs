//! QR codes as a matrix of dark modules.

/// A QR code without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrCode {
    /// Modules on each side.
    pub size: usize,
    /// `size * size` modules, row by row; true is dark.
    pub dark: Vec<bool>,
}

/// The text is too long for a QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long for a QR code")]
pub struct QrTooLong;

impl QrCode {
    /// Encodes a text with error correction level M.
    ///
    /// # Errors
    /// [`QrTooLong`] above about 2,300 bytes.
    pub fn new(text: &str) -> Result<Self, QrTooLong> {
        let code =
            qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).map_err(|_| QrTooLong)?;
        let dark = code.to_colors().into_iter().map(|c| c == qrcode::Color::Dark).collect();
        Ok(Self { size: code.width(), dark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_finder_pattern_and_a_limit() {
        let qr =
            QrCode::new("http://127.0.0.1:8480/slips/XN26112400100013?d=0123456789abcdef").expect("fits");
        assert_eq!(qr.dark.len(), qr.size * qr.size);
        assert!(qr.dark[..7].iter().all(|d| *d) && !qr.dark[7]);
        assert_eq!(QrCode::new(&"x".repeat(5_000)), Err(QrTooLong));
    }
}
