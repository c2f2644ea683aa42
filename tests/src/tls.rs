//! TLS for tests: callers of the terminals' listener with any certificate or none, and strangers who answer in its
//! place and note what they hear.
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::envelope::DeviceKey;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use sync_server::authority::{Authority, ServerCertificate};
use sync_server::keys::Keys;

use crate::device::new_key;
use crate::server::Server;

/// Longest silence that a test accepts.
const SILENCE: Duration = Duration::from_secs(60);

/// A connection over TLS.
pub type Secure = StreamOwned<ClientConnection, TcpStream>;

/// Somebody who calls the terminals' listener.
#[derive(Clone)]
pub struct Caller {
    /// The certificate of the authority that is trusted, DER.
    pub authority: Vec<u8>,
    /// The key and the certificate that are shown, if any are.
    pub shows: Option<(DeviceKey, Vec<u8>)>,
}

impl Caller {
    /// Connects to `127.0.0.1:PORT`.
    ///
    /// # Errors
    /// If nobody is there. Whether certificates are taken is known only after the first answer.
    pub fn connect(&self, host: &str) -> Result<Secure> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority.clone()))?;
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots);
        let mut config = match &self.shows {
            None => builder.with_no_client_auth(),
            Some((key, certificate)) => builder.with_client_auth_cert(
                vec![CertificateDer::from(certificate.clone())],
                PrivatePkcs8KeyDer::from(key.to_pkcs8().to_vec()).into(),
            )?,
        };
        config.resumption = Resumption::disabled();
        let address: SocketAddr = host.parse()?;
        let connection = ClientConnection::new(Arc::new(config), ServerName::IpAddress(address.ip().into()))?;
        let stream = TcpStream::connect(address).with_context(|| host.to_owned())?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        Ok(StreamOwned::new(connection, stream))
    }
}

/// The authority of a server, out of its key folder.
///
/// # Errors
/// If it has none.
pub fn authority_of(server: &Server) -> Result<Authority> {
    Ok(Keys::load_authority(&server.data().join("keys"))?)
}

/// What somebody who answers in place of the centre does.
#[derive(Clone)]
pub enum Answer {
    /// Speaks TLS with this certificate and key, and answers each request with these bytes.
    Tls(Arc<ServerCertificate>, &'static [u8]),
    /// Speaks plain HTTP, and answers whatever comes with these bytes.
    Plain(&'static [u8]),
}

/// Somebody who answers in place of the centre; notes what comes after the handshake, and everything where there is
/// none.
pub struct Stranger {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
    ended: Arc<AtomicBool>,
}

impl Stranger {
    /// Begins to answer on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If there is no port.
    pub fn start(answer: Answer) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (heard, ended) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<AtomicBool>::default());
        let (hearing, ending) = (heard.clone(), ended.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                // A caller who breaks off is what is hoped for.
                let _ = speak(stream, &answer, &hearing);
            }
        });
        Ok(Self { address, heard, ended })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it heard so far.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn speak(mut stream: TcpStream, answer: &Answer, heard: &Mutex<Vec<u8>>) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let note = |piece: &[u8]| heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(piece);
    let mut piece = [0; 4_096];
    match answer {
        Answer::Plain(bytes) => {
            let count = stream.read(&mut piece)?;
            note(&piece[..count]);
            stream.write_all(bytes)?;
        }
        Answer::Tls(own, bytes) => {
            let chain = own.chain.iter().cloned().map(CertificateDer::from).collect();
            let key = PrivatePkcs8KeyDer::from(own.key.to_vec()).into();
            let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .with_no_client_auth()
                .with_single_cert(chain, key)?;
            let mut tls = StreamOwned::new(ServerConnection::new(Arc::new(config))?, stream);
            let count = tls.read(&mut piece)?;
            note(&piece[..count]);
            tls.write_all(bytes)?;
            tls.conn.send_close_notify();
            tls.flush()?;
        }
    }
    Ok(())
}

/// A device key made of a seed.
pub fn key(seed: u64) -> DeviceKey {
    use rand_core::SeedableRng as _;
    new_key(&mut rand_chacha::ChaCha20Rng::seed_from_u64(seed))
}
