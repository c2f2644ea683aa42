//! Settings of the sync server and the forms of their values. How file, environment and flags come together lies in
//! `operator::settings`.
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;

use operator::log::LogFilter;
use operator::settings::{Address, Hint, Kind, Resolution, Setting, redacted_url};

use crate::admission::Admission;
use crate::authority::MAX_NAMES;
use crate::blobs::{BlobError, BlobPlace, Credentials};
use crate::data_folder::DataFolder;
use crate::erasure_journal;
use crate::store::Database;

operator::settings! {
    /// All settings of the sync server.
    pub struct Config for "sync-server" {
        /// Folder of the keys, and of the store unless `database` names another place.
        data: PathBuf = "data/server",
        /// Where the store lies; without it in `server.db` of the data folder.
        database: Option<StoreAddress> = "",
        /// Where `move-store` brings the store; here rather than in its flags if the address holds a password.
        move_to: Option<StoreAddress> = "",
        /// Folder that holds `catalogue/`.
        assets: PathBuf = "assets",
        /// Where terminals are listened to.
        terminals: Address = "127.0.0.1:8470",
        /// Terminals are spoken with over TLS and show their certificates; without it the address must be a loopback one.
        terminals_tls: bool = "true",
        /// Names and addresses under which terminals reach this server, with commas between them; they stand in its certificate. Without any it is the address of the listener.
        terminals_names: Names = "",
        /// Where people's pages are served; loopback only, because they are plain HTTP and passwords must not travel in clear.
        people: Address = "127.0.0.1:8480",
        /// Address under which people reach their pages, for QR codes; without it the listener's own.
        people_url: Option<WebAddress> = "",
        /// People's pages may be reached from other machines although they are plain HTTP.
        allow_public_people: bool = "false",
        /// A proxy on this machine stands before people's pages and names callers in X-Forwarded-For; wrong sign-ins are counted under its last entry.
        people_proxy: bool = "false",
        /// Server that speaks S3 and keeps pages and photos; without it they lie in `blobs` of the data folder. Plain HTTP: what travels is sealed.
        s3_url: Option<S3Address> = "",
        /// Its bucket, which must be there.
        s3_bucket: Option<Bucket> = "",
        /// File with its access key and the secret, a line each, which nobody else may read.
        s3_credentials: Option<PathBuf> = "",
        /// Picture of the bank, PNG or JPEG, shown beside the product's name on people's pages.
        mark: Option<PathBuf> = "",
        /// Where figures are served at /metrics, for Prometheus. If the default address is taken, the server goes on without them.
        metrics: MetricsAddress = "127.0.0.1:8490",
        /// Figures may be read from other machines; they have no sign-in.
        allow_public_metrics: bool = "false",
        /// Calls that one address may make in a minute; this machine itself may make fifty times as many.
        calls_per_minute: CallsPerMinute = "60000",
        /// Enrolments that one address may try in a minute.
        enrolments_per_minute: CallsPerMinute = "120",
        /// Folder of backups, best on another disk; the server makes them by itself. Without it no content is ever said to be durable.
        backup: Option<PathBuf> = "",
        /// Hours between two backups.
        backup_every_hours: BackupHours = "6",
        /// The journal of erasures, best on another disk than the store; without it in the data folder.
        erasure_journal: Option<PathBuf> = "",
        /// Calls of terminals that are let in a second, all addresses together; heartbeats are shed first.
        admitted_per_second: CallsPerSecond = "5000",
        /// File to be written with all addresses once the server accepts; removed when it stops.
        ready_file: Option<PathBuf> = "",
        /// Which lines the log has.
        log: LogFilter = "info",
    }
}

impl Config {
    /// Where store and keys lie.
    pub fn data_folder(&self) -> DataFolder {
        DataFolder::new(self.data.clone(), self.database.as_ref().map(|d| d.database.clone()))
    }

    /// Where erasures are written down.
    pub fn erasure_journal(&self) -> PathBuf {
        self.erasure_journal.clone().unwrap_or_else(|| self.data.join(erasure_journal::FILE))
    }

    /// Names and addresses for the certificate of the terminals' listener: those of the settings, or its address; and
    /// always those of this machine for itself. Nothing without TLS.
    pub fn tls_names(&self) -> Option<Vec<String>> {
        let address = self.terminals.0.ip().to_canonical();
        let named = match self.terminals_names.0.as_slice() {
            [] if address.is_unspecified() => Vec::new(),
            [] => vec![address.to_string()],
            names => names.to_vec(),
        };
        let here = ["127.0.0.1", "::1", "localhost"].map(str::to_owned).into_iter();
        let further: Vec<_> = here.filter(|name| !named.contains(name)).collect();
        self.terminals_tls.then(|| [named, further].concat())
    }

    /// Whether terminals elsewhere can reach no name of the certificate: the listener is on every network, and no name
    /// was given.
    pub fn lacks_names(&self) -> bool {
        self.terminals_tls
            && self.terminals_names.0.is_empty()
            && self.terminals.0.ip().to_canonical().is_unspecified()
    }

    /// Where pages and photos lie.
    ///
    /// # Errors
    /// [`BlobError`] if the credentials cannot be read.
    pub fn blob_place(&self) -> Result<BlobPlace, BlobError> {
        match (&self.s3_url, &self.s3_bucket, &self.s3_credentials) {
            (Some(url), Some(bucket), Some(credentials)) => Ok(BlobPlace::S3 {
                url: url.text(),
                bucket: bucket.text(),
                credentials: Credentials::read(credentials)?,
            }),
            _ => Ok(BlobPlace::Folder(self.data_folder().blobs())),
        }
    }

    /// The listeners that every network of the machine reaches, as `--terminals 0.0.0.0:8470` says; only that of
    /// terminals can have TLS.
    pub fn open_to_all(&self) -> Vec<(&'static str, SocketAddr)> {
        let listeners = [
            ("terminals", Some(self.terminals.0)),
            ("people", Some(self.people.0)),
            ("metrics", self.metrics.0),
        ];
        let addresses = listeners.into_iter().filter_map(|(name, address)| Some((name, address?)));
        addresses.filter(|(_, address)| address.ip().to_canonical().is_unspecified()).collect()
    }
}

/// Tells what single values cannot show: listeners that anybody could reach.
pub fn with_rules(resolution: Resolution<Config>) -> Resolution<Config> {
    resolution
        .require(
            "s3_url",
            |c| {
                let given = [c.s3_url.is_some(), c.s3_bucket.is_some(), c.s3_credentials.is_some()];
                given.iter().all(|g| *g) || !given.iter().any(|g| *g)
            },
            "expected s3_url, s3_bucket and s3_credentials together, or none of them",
        )
        .require(
            "people",
            |c| c.allow_public_people || c.people.0.ip().is_loopback(),
            "people's pages are plain HTTP, so expected a loopback address behind a TLS proxy; allow_public_people overrides this",
        )
        .require(
            "terminals",
            |c| c.terminals_tls || c.terminals.0.ip().is_loopback(),
            "without TLS expected a loopback address: leave terminals_tls on",
        )
        .require(
            "metrics",
            |c| c.allow_public_metrics || c.metrics.0.is_none_or(|a| a.ip().is_loopback()),
            "figures have no sign-in, so expected a loopback address; allow_public_metrics overrides this",
        )
}

/// The address of a store as it was written; never shown with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreAddress {
    text: String,
    database: Database,
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.database)
    }
}

impl StoreAddress {
    /// What it names.
    pub fn database(&self) -> &Database {
        &self.database
    }
}

impl Setting for StoreAddress {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "sqlite:PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME";
    const SECRET: bool = true;

    fn read(text: &str) -> Option<Self> {
        Some(Self { text: text.to_owned(), database: text.parse().ok()? })
    }

    fn text(&self) -> String {
        self.text.clone()
    }

    fn shown(&self) -> String {
        redacted_url(&self.text)
    }
}

/// The address of a server that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Address(String);

impl Setting for S3Address {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Url;
    const EXPECTED: &'static str = "an address such as http://127.0.0.1:9000";

    fn read(text: &str) -> Option<Self> {
        let host = text.strip_prefix("http://")?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".:-[]".contains(&b);
        let fits = !host.is_empty() && host.bytes().all(plain) && text.len() <= MAX_WEB_ADDRESS_BYTES;
        fits.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// The name of a bucket, as S3 takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket(String);

impl Setting for Bucket {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "3 to 63 small letters, digits and hyphens";

    fn read(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (3..=63).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-');
        fits.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// An address of web pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress(String);

impl Setting for WebAddress {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Url;
    const EXPECTED: &'static str = "an address such as https://jinban.example";

    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '?' | '#' | '@');
        let fits = !rest.is_empty() && !rest.starts_with(['/', ':']) && rest.chars().all(plain);
        (fits && text.len() <= MAX_WEB_ADDRESS_BYTES).then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// Names of DNS and IP addresses with commas between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(pub Vec<String>);

impl Setting for Names {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str =
        "at most 20 names or IP addresses with commas between them, such as 192.0.2.7,centre.example";

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        let part = |part: &str| {
            let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            plain && !part.is_empty() && part.len() <= 63 && !part.starts_with('-') && !part.ends_with('-')
        };
        let name = |name: &String| {
            let digits_only = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && !digits_only && name.split('.').all(part))
        };
        (names.len() <= MAX_NAMES && names.iter().all(name)).then_some(Self(names))
    }

    fn text(&self) -> String {
        self.0.join(",")
    }
}

/// A longer address would make a QR code that no telephone reads.
const MAX_WEB_ADDRESS_BYTES: usize = 200;

impl Deref for WebAddress {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// How many calls fit into a minute: none would lock everybody out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallsPerMinute(pub u32);

impl Setting for CallsPerMinute {
    const KIND: Kind = Kind::Number;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "a whole number from 1 to 10000000";

    fn read(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let calls = digits.then(|| text.parse().ok()).flatten()?;
        (1..=10_000_000).contains(&calls).then_some(Self(calls))
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Hours between two backups: a day at most, so that one that fails is noticed by the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupHours(pub u32);

impl Setting for BackupHours {
    const KIND: Kind = Kind::Number;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "a whole number from 1 to 24";

    fn read(text: &str) -> Option<Self> {
        (1..=24).find(|hours: &u32| hours.to_string() == text).map(Self)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// How many calls fit into a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallsPerSecond(pub u32);

impl Setting for CallsPerSecond {
    const KIND: Kind = Kind::Number;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "a whole number from 10 to 10000000";

    fn read(text: &str) -> Option<Self> {
        CallsPerMinute::read(text).map(|calls| Self(calls.0)).filter(|calls| calls.0 >= Admission::LEAST)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Where figures are served: an address, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsAddress(pub Option<SocketAddr>);

impl MetricsAddress {
    /// Whether this is the default, which a second server on the same machine may find taken.
    pub fn is_default(self) -> bool {
        self.0 == Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8_490)))
    }
}

impl Setting for MetricsAddress {
    const KIND: Kind = Kind::Text;
    const HINT: Hint = Hint::Other;
    const EXPECTED: &'static str = "off, or an IP address with a port, such as 127.0.0.1:8490";

    fn read(text: &str) -> Option<Self> {
        if text == "off" { Some(Self(None)) } else { Address::read(text).map(|a| Self(Some(a.0))) }
    }

    fn text(&self) -> String {
        self.0.map_or("off".to_owned(), |a| a.to_string())
    }
}

#[cfg(test)]
mod tests {
    use operator::settings::Settings as _;

    use super::*;

    #[test]
    fn values_are_checked() {
        for good in ["https://jinban.example", "http://127.0.0.1:8480", "https://a.example/jinban"] {
            assert_eq!(WebAddress::read(good).map(|a| a.text()).as_deref(), Some(good));
        }
        let long = format!("https://{}", "a".repeat(MAX_WEB_ADDRESS_BYTES));
        for bad in
            ["", "jinban.example", "http://", "http:///x", "http://a b", "ftp://a", "http://a?b", &long]
        {
            assert_eq!(WebAddress::read(bad), None, "{bad}");
        }
        for good in ["http://127.0.0.1:9000", "http://s3.example", "http://[::1]:9000"] {
            assert_eq!(S3Address::read(good).map(|a| a.text()).as_deref(), Some(good));
        }
        for bad in
            ["", "https://s3.example", "http://", "http://a/b", "http://user:word@a", "s3.example:9000"]
        {
            assert_eq!(S3Address::read(bad), None, "{bad}");
        }
        assert!(Bucket::read("jinban-pages").is_some());
        for bad in ["", "ab", "Pages", "a/b", "-ab", "a..b", &"a".repeat(64)] {
            assert_eq!(Bucket::read(bad), None, "{bad}");
        }
        assert_eq!(MetricsAddress::read("off"), Some(MetricsAddress(None)));
        assert_eq!(MetricsAddress::read("on"), None);
    }

    #[test]
    fn names_are_those_that_a_certificate_holds() {
        for good in ["", "192.0.2.7", "centre.example,192.0.2.7,2001:db8::7", "a-b.example"] {
            assert_eq!(Names::read(good).map(|n| n.text()).as_deref(), Some(good), "{good}");
        }
        assert_eq!(
            Names::read("Centre.Example, 192.0.2.7").map(|n| n.text()).as_deref(),
            Some("centre.example,192.0.2.7")
        );
        let many = vec!["a"; MAX_NAMES + 1].join(",");
        for bad in [",", "a,", "a b", "https://a", "a:8470", "-a", "a..b", "1.2.3", "中心", "*.a", &many] {
            assert_eq!(Names::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_default_address_of_figures_is_known_as_such() {
        let key = Config::KEYS.iter().find(|k| k.name == "metrics").expect("a key");
        assert!(MetricsAddress::read(key.default).expect("of its form").is_default());
        assert!(!MetricsAddress::read("127.0.0.1:0").expect("of its form").is_default());
    }

    #[test]
    fn a_listener_on_every_network_is_known_as_such() {
        let open = |terminals: &str, metrics: &str| -> Vec<&str> {
            let text = |key: &str| match key {
                "terminals" => terminals.to_owned(),
                "metrics" => metrics.to_owned(),
                _ => Config::KEYS
                    .iter()
                    .find(|k| k.name == key)
                    .map(|k| k.default.to_owned())
                    .unwrap_or_default(),
            };
            let config = Config::build(text).expect("of its form");
            config.open_to_all().into_iter().map(|(name, _)| name).collect()
        };
        assert!(open("192.0.2.1:8470", "off").is_empty());
        assert_eq!(open("0.0.0.0:8470", "[::]:8490"), ["terminals", "metrics"]);
        assert_eq!(open("[::ffff:0.0.0.0]:8470", "off"), ["terminals"]);
    }

    #[test]
    fn a_password_is_never_shown() {
        let address = StoreAddress::read("postgresql://jinban:s3cret@db/x").expect("of its form");
        assert_eq!(address.shown(), "postgresql://jinban:***@db/x");
        assert!(!format!("{address:?}").contains("s3cret"));
        assert_eq!(StoreAddress::read(&address.text()), Some(address));
    }
}
