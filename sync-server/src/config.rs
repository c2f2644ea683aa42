//! Settings of the sync server. How file, environment and flags come together lies in `operator::settings`.
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use operator::log::LogFilter;
use operator::settings::{Address, Resolution, Setting as _};

use crate::blobs::{BlobError, BlobPlace, Credentials};
use crate::data_folder::DataFolder;
use crate::erasure_journal;
use crate::secret_file::name_and_secret;
use crate::sms::smpp;

pub use values::{
    BackupHours, Bucket, CallsPerMinute, CallsPerSecond, MetricsAddress, Names, S3Address, SmsSender,
    StoreAddress, WebAddress,
};

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
        /// Gateway of short messages that speaks SMPP 3.4; without it nobody is told by message. Plain TCP with people's numbers in it, so a loopback address: the end of a tunnel.
        sms_gateway: Option<Address> = "",
        /// File with the name (system_id) and the password for it, a line each, which nobody else may read.
        sms_credentials: Option<PathBuf> = "",
        /// The number from which messages come; without it the gateway's own.
        sms_sender: Option<SmsSender> = "",
        /// The gateway may be on another machine although what travels is plain: the network between is a private one.
        allow_plain_sms: bool = "false",
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
        DataFolder::new(self.data.clone(), self.database.as_ref().map(|d| d.database().clone()))
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

    /// The gateway of short messages, if there is one.
    ///
    /// # Errors
    /// What is wrong with the file of its credentials.
    pub fn sms_account(&self) -> Result<Option<smpp::Account>, String> {
        let (Some(address), Some(credentials)) = (&self.sms_gateway, &self.sms_credentials) else {
            return Ok(None);
        };
        let (name, password) = name_and_secret("sms_credentials", credentials)?;
        let sender = self.sms_sender.as_ref().map_or_else(String::new, |sender| sender.0.clone());
        smpp::Account::new(address.0, (&name, &password), &sender)
            .map(Some)
            .map_err(|why| format!("sms_credentials {}: {why}", credentials.display()))
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
            "sms_gateway",
            |c| c.sms_gateway.is_some() == c.sms_credentials.is_some(),
            "expected sms_gateway and sms_credentials together, or neither",
        )
        .require(
            "sms_gateway",
            |c| c.allow_plain_sms || c.sms_gateway.as_ref().is_none_or(|a| a.0.ip().is_loopback()),
            "SMPP is plain and carries people's numbers, so expected a loopback address (the end of a tunnel); allow_plain_sms overrides this",
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

#[cfg(test)]
mod tests {
    use operator::settings::Settings as _;

    use super::*;

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
