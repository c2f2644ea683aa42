//! The address of a PostgreSQL database in the words of libpq: who, where, how protected, and how long to wait.
//!
//! | word | meaning |
//! |---|---|
//! | `sslmode` | `disable`, `prefer` (the default) or `require` |
//! | `sslrootcert` | file of the certificates that the server's must lead to; makes `require` the default |
//! | `connect_timeout` | seconds for making a connection, at most 20; 5 if it is not given |
//! | `tcp_user_timeout` | seconds of silence after which a connection counts as lost, at most 20, which is the default |
//!
//! Refuses to repeat a password: no error and no shown address holds one.
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::store::StoreError;

/// Time for making a connection if the address says none.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// The longest silence, and the longest time for a connection: callers wait for 25 s.
const LONGEST: Duration = Duration::from_secs(20);
/// Silence on the network before it is asked whether the other side is there, and between two questions.
const PROBE_TIME: Duration = Duration::from_secs(5);
/// Questions without an answer after which it is not.
const PROBES: u32 = 3;

/// An address that was understood.
pub(super) struct Address {
    /// For the client library.
    pub(super) config: Config,
    /// `sslrootcert`.
    pub(super) root: Option<PathBuf>,
    /// Silence after which a connection counts as lost.
    pub(super) silence: Duration,
    /// Time for making a connection, all hosts of the address together.
    pub(super) connect: Duration,
}

impl Address {
    /// Reads an address such as `postgresql://jinban@db.example/jinban?sslrootcert=/etc/jinban/db.pem`.
    ///
    /// # Errors
    /// [`StoreError::Open`] if it cannot be understood.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let open = |why: &str| StoreError::Open(why.into());
        let (url, root) = split_root(url).ok_or_else(|| open("sslrootcert is no path"))?;
        let mut config: Config = url.parse().map_err(|e| StoreError::Open(Box::new(e)))?;
        if config.get_hosts().is_empty() {
            return Err(open("the address of the database names no host"));
        }
        if root.is_some() {
            if config.get_ssl_mode() == SslMode::Disable {
                return Err(open("sslrootcert says whom to trust, and sslmode=disable not to ask"));
            }
            let words = url.split_once('?').map(|(_, words)| words).unwrap_or_default();
            if !words.split('&').any(|pair| pair.starts_with("sslmode=")) {
                config.ssl_mode(SslMode::Require);
            }
        }
        let within = |given: Option<&Duration>, usual: Duration| given.copied().unwrap_or(usual).min(LONGEST);
        let silence = within(config.get_tcp_user_timeout(), LONGEST);
        let one = within(config.get_connect_timeout(), CONNECT_TIME);
        config.connect_timeout(one).tcp_user_timeout(silence);
        config.keepalives_idle(PROBE_TIME).keepalives_interval(PROBE_TIME).keepalives_retries(PROBES);
        config.application_name("sync-server");
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
        let connect = one.saturating_mul(hosts).min(LONGEST);
        Ok(Self { config, root, silence, connect })
    }

    /// Without password and further words, for people and logs.
    pub(super) fn shown(&self) -> String {
        let config = &self.config;
        let host = config.get_hosts().first().map_or_else(String::new, |h| match h {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let port = config.get_ports().first().map_or_else(String::new, |p| format!(":{p}"));
        let user = config.get_user().map_or_else(String::new, |u| format!("{u}@"));
        let name = config.get_dbname().or(config.get_user()).unwrap_or_default();
        format!("postgresql://{user}{host}{port}/{name}")
    }

    /// Whether all its hosts are this machine, by their names: nobody listens in between.
    pub(super) fn is_local(&self) -> bool {
        self.config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        })
    }

    /// Whether TLS is asked for; there is none on a socket file.
    pub(super) fn wants_tls(&self) -> bool {
        let network = self.config.get_hosts().iter().any(|h| matches!(h, Host::Tcp(_)));
        network && self.config.get_ssl_mode() != SslMode::Disable
    }
}

/// Takes out the one word that the client library does not know; nothing if its value is no path.
fn split_root(url: &str) -> Option<(String, Option<PathBuf>)> {
    const WORD: &str = "sslrootcert=";
    let Some((before, query)) = url.split_once('?') else { return Some((url.to_owned(), None)) };
    let (ours, theirs): (Vec<_>, Vec<_>) = query.split('&').partition(|pair| pair.starts_with(WORD));
    let path = |pair: &&str| {
        let text = percent_decode_str(&pair[WORD.len()..]).decode_utf8().ok()?;
        (!text.is_empty() && !text.contains('\0')).then(|| Path::new(&*text).to_owned())
    };
    let root = match ours.last() {
        Some(pair) => Some(path(pair)?),
        None => None,
    };
    let rest = if theirs.is_empty() { before.to_owned() } else { format!("{before}?{}", theirs.join("&")) };
    Some((rest, root))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::parse(url).unwrap_or_else(|e| unreachable!("{url}: {e}"))
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let url = "postgresql://clerk:secret@db.example:5433/jinban?connect_timeout=3&sslrootcert=/a";
        assert_eq!(address(url).shown(), "postgresql://clerk@db.example:5433/jinban");
        for bad in [
            "postgresql://",
            "postgresql:///x",
            "postgresql://u:secret@h:port/x",
            "postgresql://u:secret@h/x?sslmode=perhaps",
            "postgresql://u:secret@h/x?sslrootcert=",
            "postgresql://u:secret@h/x?sslrootcert=/a&sslmode=disable",
            "nonsense",
        ] {
            let error = Address::parse(bad).err().map(|e| format!("{e} {e:?}")).unwrap_or_default();
            assert!(!error.is_empty() && !error.contains("secret"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_root_certificate_makes_tls_a_must_unless_the_address_says_otherwise() {
        let table = [
            ("postgresql://h/x", SslMode::Prefer, None),
            ("postgresql://h/x?sslmode=disable", SslMode::Disable, None),
            ("postgresql://h/x?sslrootcert=/a%20b.pem", SslMode::Require, Some("/a b.pem")),
            ("postgresql://h/x?sslrootcert=/a.pem&sslmode=prefer", SslMode::Prefer, Some("/a.pem")),
            ("postgresql://u:p?w@h/x?sslmode=require", SslMode::Require, None),
        ];
        for (url, mode, root) in table {
            let read = address(url);
            assert_eq!(read.config.get_ssl_mode(), mode, "{url}");
            assert_eq!(read.root.as_deref(), root.map(Path::new), "{url}");
            assert_eq!(read.wants_tls(), mode != SslMode::Disable, "{url}");
        }
        assert!(!address("postgresql://%2Frun%2Fpostgresql/x").wants_tls());
    }

    #[test]
    fn times_are_bounded_whatever_the_address_says() {
        let times = |url| {
            let a = address(url);
            (a.connect.as_secs(), a.silence.as_secs())
        };
        assert_eq!(times("postgresql://h/x"), (5, 20));
        assert_eq!(times("postgresql://a,b/x?connect_timeout=2&tcp_user_timeout=3"), (4, 3));
        assert_eq!(times("postgresql://a,b/x?connect_timeout=3600&tcp_user_timeout=3600"), (20, 20));
    }

    #[test]
    fn only_this_machine_is_local() {
        for local in ["127.0.0.1", "[::1]:5433", "localhost", "%2Frun%2Fpostgresql", "127.0.0.1,localhost"] {
            assert!(address(&format!("postgresql://{local}/x")).is_local(), "{local}");
        }
        for far in ["db.example", "192.0.2.1", "127.0.0.1,db.example", "localhost.example"] {
            assert!(!address(&format!("postgresql://{far}/x")).is_local(), "{far}");
        }
    }
}
