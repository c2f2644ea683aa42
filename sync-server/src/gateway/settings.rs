//! The settings of the gateway: a file `payments.json` in the data folder, read again whenever the gateway is spoken with.
//!
//! Without it bills are made and nobody can pay them on line. It has the shared key, so nobody else may read it.
use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::sign::unhex;
use crate::loopback;

/// Name of the file in the data folder.
pub const FILE: &str = "payments.json";
/// The most bytes of the file.
const MAX_BYTES: u64 = 16 << 10;
/// The longest name of the merchant, in bytes.
const MAX_MERCHANT: usize = 32;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    File(#[from] std::io::Error),
    /// It is no such file.
    #[error("{0}")]
    Wrong(String),
}

/// What the file says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    address: String,
    merchant: String,
    key: String,
    #[serde(default)]
    simulated: bool,
}

/// How the gateway is reached. Never printed: it has the key.
#[derive(Clone)]
pub struct GatewaySettings {
    /// IP and port of this machine.
    pub address: SocketAddr,
    /// As whom the gateway knows us.
    pub merchant: String,
    /// Shared with it.
    pub key: Zeroizing<[u8; 32]>,
    /// It is a simulator, and every page that leads there says so.
    pub simulated: bool,
}

impl GatewaySettings {
    /// Reads and checks the file of a data folder; nothing where there is none.
    ///
    /// # Errors
    /// [`SettingsError`] with what is wrong, never with the key.
    pub fn read(path: &Path) -> Result<Option<Self>, SettingsError> {
        let file = match File::open(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(SettingsError::Wrong("others may read it: chmod 600".to_owned()));
        }
        let mut text = Zeroizing::new(Vec::new());
        file.take(MAX_BYTES + 1).read_to_end(&mut text)?;
        Self::parse(&text).map(Some)
    }

    /// Reads and checks the text of the file.
    ///
    /// # Errors
    /// As [`GatewaySettings::read`].
    pub fn parse(text: &[u8]) -> Result<Self, SettingsError> {
        let wrong = |why: &str| SettingsError::Wrong(why.to_owned());
        if text.len() as u64 > MAX_BYTES {
            return Err(wrong("the file is too long"));
        }
        let place = |e: serde_json::Error| format!("line {}, column {}: no such file", e.line(), e.column());
        let mut shape: Shape = serde_json::from_slice(text).map_err(|e| SettingsError::Wrong(place(e)))?;
        let key = unhex(&shape.key).map(Zeroizing::new);
        zeroize::Zeroize::zeroize(&mut shape.key);
        let address = loopback::local(&shape.address);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let merchant =
            Some(shape.merchant).filter(|m| !m.is_empty() && m.len() <= MAX_MERCHANT && m.bytes().all(plain));
        Ok(Self {
            address: address
                .ok_or_else(|| wrong("address: IP and port of this machine: a TLS proxy there goes on"))?,
            merchant: merchant.ok_or_else(|| wrong("merchant: 1 to 32 letters, digits, - and _"))?,
            key: key.ok_or_else(|| wrong("key: 32 bytes as 64 hexadecimal digits"))?,
            simulated: shape.simulated,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_and_the_key_is_not() {
        let key = "ab".repeat(32);
        let text = |address: &str, merchant: &str, key: &str| {
            format!(r#"{{"address":"{address}","merchant":"{merchant}","key":"{key}"}}"#)
        };
        let good = GatewaySettings::parse(text("127.0.0.1:9", "DEMO-1", &key).as_bytes());
        assert!(good.is_ok_and(|settings| !settings.simulated && settings.key[0] == 0xab));
        for (file, told) in [
            (text("10.0.0.1:9", "D", &key), "address"),
            (text("here", "D", &key), "address"),
            (text("127.0.0.1:9", "", &key), "merchant"),
            (text("127.0.0.1:9", "a b", &key), "merchant"),
            (text("127.0.0.1:9", "D", "abcd"), "key"),
            (format!("{{\"key\": \"{key}\" x"), "line 1"),
        ] {
            let why =
                GatewaySettings::parse(file.as_bytes()).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(why.contains(told) && !why.contains(&key), "{told}: {why}");
        }
    }
}
