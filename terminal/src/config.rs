//! Settings of the terminal and the forms of their values. How files, environment and flags come together lies in
//! `operator::settings`.
use std::ops::Deref;
use std::path::PathBuf;

use hardware::camera::is_video_device;
use hardware::printer::{PageAddress, ReceiptPlace};
use hardware::scanner::is_device;
use operator::log::LogFilter;
use operator::settings::{Hint, Kind, Setting, redacted_url};

use crate::sync::http::is_server_address;

/// No such device.
const NONE: &str = "none";

operator::settings! {
    /// All settings of the terminal.
    pub struct Config for "terminal" {
        /// Folder of the store and the device key.
        data: PathBuf = "data/terminal",
        /// Folder of catalogue, texts and icons.
        assets: PathBuf = "assets",
        /// The server's listener for terminals.
        server: ServerUrl = "https://127.0.0.1:8470",
        /// Where cards come from: a real reader, a simulator, or nowhere.
        reader: ReaderChoice = "pcsc",
        /// File that says which readers there are and how to talk to them; without it all that pcscd has.
        readers: Option<PathBuf> = "",
        /// Licensed program that decodes the photo on ID cards (standard input to standard output); a silhouette
        /// without it.
        photo_decoder: Option<PathBuf> = "",
        /// Receipt printer: tcp:IP:PORT, file:PATH, serial:PATH:BAUD or usb:VENDOR:PRODUCT, then perhaps ,58mm and ,holds.
        receipt_printer: ReceiptPrinterChoice = "none",
        /// Page printer or print queue: ipp://IP:PORT/PATH.
        page_printer: PagePrinterChoice = "none",
        /// Where pages are scanned: a device of SANE, or nowhere.
        scanner: ScannerChoice = "none",
        /// Where pages are photographed: a camera, a simulator, or nowhere.
        camera: CameraChoice = "none",
        /// Picture of the bank, PNG or JPEG, shown beside the product's name.
        mark: Option<PathBuf> = "",
        /// How large the window is.
        window: WindowSize = "fullscreen",
        /// Which lines the log has.
        log: LogFilter = "info",
    }
}

/// Where cards come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderChoice {
    /// A real reader through pcscd.
    Pcsc,
    /// A simulator: a card file, or a folder in which one appears.
    File(PathBuf),
    /// No reader.
    None,
}

impl Setting for ReaderChoice {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "pcsc, file:PATH (a simulator) or none";

    fn read(text: &str) -> Option<Self> {
        match text {
            "pcsc" => Some(Self::Pcsc),
            "none" => Some(Self::None),
            _ => text.strip_prefix("file:").and_then(PathBuf::read).map(Self::File),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Pcsc => "pcsc".to_owned(),
            Self::File(path) => format!("file:{}", path.text()),
            Self::None => "none".to_owned(),
        }
    }
}

/// The printer for slips; none if there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptPrinterChoice(pub Option<ReceiptPlace>);

impl Setting for ReceiptPrinterChoice {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "none, tcp:192.168.1.50:9100, file:/dev/usb/lp0 (below /dev; or an ordinary file that ends with .escpos, as a simulator), serial:/dev/ttyS0:115200 or usb:0416:5011, then perhaps ,58mm and ,holds";

    fn read(text: &str) -> Option<Self> {
        if text == NONE { Some(Self(None)) } else { ReceiptPlace::read(text).map(|place| Self(Some(place))) }
    }

    fn text(&self) -> String {
        self.0.as_ref().map_or_else(|| NONE.to_owned(), ReceiptPlace::text)
    }
}

/// The printer for A4 pages; none if there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PagePrinterChoice(pub Option<PageAddress>);

impl Setting for PagePrinterChoice {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "none or an address such as ipp://192.168.1.60:631/ipp/print";

    fn read(text: &str) -> Option<Self> {
        if text == NONE { Some(Self(None)) } else { PageAddress::read(text).map(|place| Self(Some(place))) }
    }

    fn text(&self) -> String {
        self.0.as_ref().map_or_else(|| NONE.to_owned(), PageAddress::text)
    }
}

/// Where pages are scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerChoice {
    /// A device of SANE, as `scanimage -L` names it.
    Sane(String),
    /// No scanner.
    None,
}

impl Setting for ScannerChoice {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str =
        "sane:DEVICE with a name of `scanimage -L`, such as sane:airscan:e0:Office, or none";

    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            _ => text
                .strip_prefix("sane:")
                .filter(|device| is_device(device))
                .map(|d| Self::Sane(d.to_owned())),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Sane(device) => format!("sane:{device}"),
            Self::None => "none".to_owned(),
        }
    }
}

/// Where pages are photographed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraChoice {
    /// A camera of Linux by its device.
    V4l(PathBuf),
    /// A simulator: a picture, or a folder of pictures.
    File(PathBuf),
    /// No camera.
    None,
}

impl Setting for CameraChoice {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "v4l:/dev/video0, file:PATH (a simulator) or none";

    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::None);
        }
        if let Some(device) = text.strip_prefix("v4l:") {
            return PathBuf::read(device).filter(|device| is_video_device(device)).map(Self::V4l);
        }
        text.strip_prefix("file:").and_then(PathBuf::read).map(Self::File)
    }

    fn text(&self) -> String {
        match self {
            Self::V4l(device) => format!("v4l:{}", device.text()),
            Self::File(path) => format!("file:{}", path.text()),
            Self::None => "none".to_owned(),
        }
    }
}

/// How large the window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowSize {
    /// The whole screen, without a frame.
    Fullscreen,
    /// Width and height in pixels.
    Pixels(u32, u32),
}

impl Setting for WindowSize {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str =
        "fullscreen, or width and height in pixels such as 1920x1080, each from 320 to 16384";

    fn read(text: &str) -> Option<Self> {
        if text == "fullscreen" {
            return Some(Self::Fullscreen);
        }
        let side = |text: &str| text.parse().ok().filter(|side| (320..=16_384).contains(side));
        let (width, height) = text.split_once('x')?;
        Some(Self::Pixels(side(width)?, side(height)?))
    }

    fn text(&self) -> String {
        match self {
            Self::Fullscreen => "fullscreen".to_owned(),
            Self::Pixels(width, height) => format!("{width}x{height}"),
        }
    }
}

/// Address of the server's listener for terminals: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(String);

impl Setting for ServerUrl {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Url;
    const EXPECTED: &'static str = "the centre's https:// address without a path and without a user, such as https://192.168.8.1:8470; http:// is for \
         trials on this machine only, because anybody in between could read and answer it";
    // Somebody may have written a password into it.
    const SECRET: bool = true;

    fn read(text: &str) -> Option<Self> {
        (is_server_address(text) && !text.contains('@')).then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }

    fn shown(&self) -> String {
        redacted_url(&self.0)
    }
}

impl Deref for ServerUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes_through<T: Setting>(text: &str) -> bool {
        T::read(text).is_some_and(|value| value.text() == text)
    }

    #[test]
    fn values_are_checked() {
        for good in ["pcsc", "none", "file:/tmp/card.toml", "file:-odd run"] {
            assert!(goes_through::<ReaderChoice>(good), "{good}");
        }
        for bad in ["usb", "file:", "", "PCSC"] {
            assert_eq!(ReaderChoice::read(bad), None, "{bad}");
        }
        for good in ["none", "tcp:127.0.0.1:9100", "file:/dev/usb/lp0,58mm"] {
            assert!(goes_through::<ReceiptPrinterChoice>(good), "{good}");
        }
        assert!(goes_through::<PagePrinterChoice>("none"));
        assert!(goes_through::<PagePrinterChoice>("ipp://127.0.0.1:631/ipp/print"));
        for good in ["none", "sane:test:0", "sane:airscan:e0:An Office Scanner"] {
            assert!(goes_through::<ScannerChoice>(good), "{good}");
        }
        for bad in ["", "sane:", "sane:test", "test:0", "sane:--help:0", "sane:a b:0"] {
            assert_eq!(ScannerChoice::read(bad), None, "{bad}");
        }
        for good in ["none", "file:/tmp/pictures", "v4l:/dev/video0", "v4l:/dev/v4l/by-id/usb-Camera-index0"]
        {
            assert!(goes_through::<CameraChoice>(good), "{good}");
        }
        for bad in ["", "file:", "v4l:", "v4l:video0", "v4l:/etc/passwd", "v4l:/dev/../etc/passwd"] {
            assert_eq!(CameraChoice::read(bad), None, "{bad}");
        }
        for good in ["fullscreen", "320x320", "1920x1080", "16384x640"] {
            assert!(goes_through::<WindowSize>(good), "{good}");
        }
        for bad in ["", "1x1", "x", "-5x900", "99999x1080", "1920x", "1920x1080x1"] {
            assert_eq!(WindowSize::read(bad), None, "{bad}");
        }
        for bad in ["", "127.0.0.1:8470", "ftp://a", "http://a/b", "http://me:s3cret@a", "http://"] {
            assert_eq!(ServerUrl::read(bad), None, "{bad}");
        }
        assert!(goes_through::<ServerUrl>("https://centre.example:8470"));
    }
}
