//! Where a printer is, as a technician writes it into the settings.
//!
//! | text | what |
//! |---|---|
//! | `tcp:192.168.1.50:9100` | a receipt printer in the network, by its number: a name could keep a job waiting for a DNS server |
//! | `file:/dev/usb/lp0` | a receipt printer behind a device file below `/dev` |
//! | `file:/tmp/paper.escpos` | a simulator: an ordinary file that keeps what it is sent; its name says that it is meant for that |
//! | `serial:/dev/ttyS0:115200` | a receipt printer at a serial port, 8 data bits, no parity, 1 stop bit |
//! | `usb:0416:5011` | a receipt printer by its USB numbers, hexadecimal |
//! | `…,58mm` | on a roll of 58 mm (384 dots) instead of 80 mm (576 dots) |
//! | `…,holds` | it holds the paper after the cut and its sensor says so |
//! | `ipp://192.168.1.60:631/ipp/print` | a page printer, or a CUPS queue, without TLS |
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Speeds of serial ports that are taken.
const BAUDS: [u32; 5] = [9_600, 19_200, 38_400, 57_600, 115_200];
/// Port of IPP.
const IPP_PORT: u16 = 631;
/// How the name of an ordinary file ends that may be written to: a file named by mistake is left alone.
pub(super) const SIMULATOR_END: &str = ".escpos";
/// Longest path of a print queue.
const MAX_PATH_BYTES: usize = 200;

/// How a receipt printer is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptPort {
    /// Raw TCP.
    Tcp(SocketAddr),
    /// A device file below `/dev`, or an ordinary file whose name ends with `.escpos` as a simulator.
    File(PathBuf),
    /// A serial port and its speed.
    Serial(PathBuf, u32),
    /// Vendor and product.
    Usb(u16, u16),
}

impl ReceiptPort {
    /// How long so many bytes are on a serial line: ten signs for each. No time at all elsewhere.
    pub fn line_time(&self, bytes: usize) -> Duration {
        let Self::Serial(_, baud) = self else { return Duration::ZERO };
        Duration::from_secs(bytes as u64 * 10 / u64::from(*baud).max(1))
    }
}

/// Width of the roll of paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Roll {
    /// 80 mm, 576 dots.
    #[default]
    Mm80,
    /// 58 mm, 384 dots.
    Mm58,
}

/// A receipt printer of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptPlace {
    /// How it is reached.
    pub port: ReceiptPort,
    /// Its paper.
    pub roll: Roll,
    /// It has a sensor that tells whether cut paper is still held (few models).
    pub holds: bool,
}

impl ReceiptPlace {
    /// Reads a setting; none if it is not of the form.
    pub fn read(text: &str) -> Option<Self> {
        let (text, holds) = strip(text, ",holds");
        let (text, narrow) = strip(text, ",58mm");
        let (text, holds_first) = strip(text, ",holds");
        let (kind, rest) = text.split_once(':')?;
        let port = match kind {
            "tcp" => ReceiptPort::Tcp(rest.parse().ok().filter(|address: &SocketAddr| address.port() != 0)?),
            "file" if rest.starts_with("/dev/") || rest.ends_with(SIMULATOR_END) => {
                ReceiptPort::File(PathBuf::from(rest))
            }
            "serial" => {
                let (path, baud) = rest.rsplit_once(':')?;
                let baud = baud.parse().ok().filter(|baud| BAUDS.contains(baud))?;
                ReceiptPort::Serial(Some(path).filter(|path| !path.is_empty())?.into(), baud)
            }
            "usb" => {
                let (vendor, product) = rest.split_once(':')?;
                ReceiptPort::Usb(hexadecimal(vendor)?, hexadecimal(product)?)
            }
            _ => return None,
        };
        let roll = if narrow { Roll::Mm58 } else { Roll::Mm80 };
        Some(Self { port, roll, holds: holds || holds_first })
    }

    /// The setting that says this.
    pub fn text(&self) -> String {
        let port = match &self.port {
            ReceiptPort::Tcp(address) => format!("tcp:{address}"),
            ReceiptPort::File(path) => format!("file:{}", path.display()),
            ReceiptPort::Serial(path, baud) => format!("serial:{}:{baud}", path.display()),
            ReceiptPort::Usb(vendor, product) => format!("usb:{vendor:04x}:{product:04x}"),
        };
        let roll = if self.roll == Roll::Mm58 { ",58mm" } else { "" };
        let holds = if self.holds { ",holds" } else { "" };
        format!("{port}{roll}{holds}")
    }
}

fn strip<'a>(text: &'a str, end: &str) -> (&'a str, bool) {
    text.strip_suffix(end).map_or((text, false), |rest| (rest, true))
}

fn hexadecimal(text: &str) -> Option<u16> {
    u16::from_str_radix(text, 16).ok().filter(|_| text.len() == 4 && !text.starts_with('+'))
}

/// A page printer, by IPP without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress {
    /// Its host and port; `localhost` is 127.0.0.1, other names are not taken.
    pub address: SocketAddr,
    /// Path of the queue, with its slash.
    pub path: String,
}

impl PageAddress {
    /// Reads a setting; none if it is not of the form.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("ipp://")?;
        let (host, path) = rest.split_once('/')?;
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
        if path.is_empty() || path.len() > MAX_PATH_BYTES || !path.bytes().all(is_plain) {
            return None;
        }
        let path = format!("/{path}");
        let with_port = host.replace("localhost", &Ipv4Addr::LOCALHOST.to_string());
        let plain = |text: &str| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, IPP_PORT));
        let address = with_port.parse().ok().or_else(|| plain(&with_port));
        Some(Self { address: address.filter(|address| address.port() != 0)?, path })
    }

    /// The setting that says this; also the printer's URI.
    pub fn text(&self) -> String {
        format!("ipp://{}{}", self.address, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_has_the_time_that_it_needs() {
        let time = |text: &str| ReceiptPlace::read(text).expect("a place").port.line_time(86_400);
        assert_eq!(time("serial:/dev/ttyS0:9600"), Duration::from_secs(90));
        assert_eq!(time("serial:/dev/ttyS0:115200"), Duration::from_secs(7));
        assert_eq!(time("tcp:192.168.1.50:9100"), Duration::ZERO);
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in [
            "tcp:192.168.1.50:9100",
            "tcp:[::1]:9100,58mm",
            "file:/dev/usb/lp0,58mm,holds",
            "file:/tmp/a:b.escpos,holds",
            "serial:/dev/ttyS0:115200",
            "usb:0416:5011",
        ] {
            assert_eq!(ReceiptPlace::read(text).map(|place| place.text()).as_deref(), Some(text));
        }
        let both = ReceiptPlace::read("usb:0416:5011,holds,58mm").expect("in any order");
        assert!(both.holds && both.roll == Roll::Mm58);
        for bad in [
            "",
            "tcp:",
            "tcp:printer:9100",
            "tcp:1.2.3.4",
            "tcp:1.2.3.4:0",
            "file:",
            "file:/etc/passwd",
            "file:paper.escpos.txt",
            "serial:/dev/ttyS0",
            "serial:/dev/ttyS0:1",
            "serial::9600",
            "usb:416:5011",
            "usb:+416:5011",
            "usb:0416",
            "lpt:1",
            "none",
        ] {
            assert_eq!(ReceiptPlace::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn page_printers_are_read_as_they_are_written() {
        for (text, wanted) in [
            ("ipp://192.168.1.60:631/ipp/print", "ipp://192.168.1.60:631/ipp/print"),
            ("ipp://10.0.0.1/ipp/print", "ipp://10.0.0.1:631/ipp/print"),
            ("ipp://localhost:8631/printers/A4", "ipp://127.0.0.1:8631/printers/A4"),
            ("ipp://localhost/printers/A4", "ipp://127.0.0.1:631/printers/A4"),
        ] {
            assert_eq!(PageAddress::read(text).map(|place| place.text()).as_deref(), Some(wanted));
        }
        for bad in [
            "",
            "ipp://",
            "ipp://1.2.3.4",
            "ipp://1.2.3.4/",
            "http://1.2.3.4/a",
            "ipp://a.example/ipp",
            "ipp://1.2.3.4/a b",
        ] {
            assert_eq!(PageAddress::read(bad), None, "{bad}");
        }
    }
}
