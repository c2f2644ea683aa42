//! QR codes on pages: drawn into the page itself, so that no picture with a secret has an address.
use domain::document::qr::QrCode;

/// Modules of white around a code (ISO/IEC 18004).
const QUIET: usize = 4;

/// A code as one path of an SVG whose unit is a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrView {
    /// Modules on each side, with the white around.
    pub side: usize,
    /// The dark modules.
    pub path: String,
}

/// Draws a text; none if it is too long for a code.
pub fn draw(text: &str) -> Option<QrView> {
    let code = QrCode::new(text).ok()?;
    let mut path = String::new();
    for (y, row) in code.dark.chunks(code.size).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run[0] {
                let (from, top, wide) = (x + QUIET, y + QUIET, run.len());
                path.push_str(&format!("M{from} {top}h{wide}v1h-{wide}z"));
            }
            x += run.len();
        }
    }
    Some(QrView { side: code.size + 2 * QUIET, path })
}
