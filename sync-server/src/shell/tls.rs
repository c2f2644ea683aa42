//! TLS of the terminals' listener: version 1.3 only, with a certificate of the centre's own authority, and with the
//! certificate of whoever calls if they have one.
//!
//! A certificate shows which device key the caller has; which terminal that is, and whether it may still send, is
//! looked up with each request ([`super::device_gate`]). Refuses certificates of other authorities, and any that ended.
use std::io;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use domain::envelope::PublicKey;
use domain::ids::TerminalId;
use rand_core::Rng as _;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroizing;

use crate::authority::AuthorityError;
use crate::centre::Centre;

/// No TLS can be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The authority makes no certificate.
    #[error("a certificate for terminals cannot be made of the names in terminals_names")]
    Authority(#[source] AuthorityError),
    /// The library refuses.
    #[error("TLS cannot be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What lies below a request.
#[derive(Debug, Clone)]
pub enum Link {
    /// Nothing: plain HTTP.
    Plain,
    /// TLS, with the certificate that the caller showed.
    Tls(Option<Arc<Shown>>),
}

/// The certificate that a caller showed, signed by our authority and good when the connection began.
#[derive(Debug)]
pub struct Shown {
    /// The key that it names.
    pub key: PublicKey,
    /// The terminal that has this key, once it was looked up: it never changes.
    pub terminal: OnceLock<TerminalId>,
}

/// Speaks TLS on connections.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// TLS of a centre that terminals reach under these names and addresses.
    ///
    /// # Errors
    /// [`TlsError`] if no certificate can be made.
    pub fn new(centre: Arc<Centre>, names: Vec<String>) -> Result<Self, TlsError> {
        let setup = |e: Box<dyn std::error::Error + Send + Sync>| TlsError::Setup(e);
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        let authority = centre.context().keys.authority.certificate().to_vec();
        roots.add(CertificateDer::from(authority)).map_err(|e| setup(e.into()))?;
        let callers = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(|e| setup(e.into()))?;
        let own = Own { centre, names, current: RwLock::default() };
        own.renewed().map_err(TlsError::Authority)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|e| setup(e.into()))?
            .with_client_cert_verifier(callers)
            .with_cert_resolver(Arc::new(own));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each connection shows its certificate anew.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// The handshake.
    ///
    /// # Errors
    /// The caller's, or its certificate's.
    pub async fn meet<S>(&self, stream: S) -> io::Result<(TlsStream<S>, Link)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = self.0.accept(stream).await?;
        let shown = match stream.get_ref().1.peer_certificates().and_then(<[_]>::first) {
            None => None,
            Some(certificate) => {
                Some(Arc::new(Shown { key: key_of(certificate)?, terminal: OnceLock::new() }))
            }
        };
        Ok((stream, Link::Tls(shown)))
    }
}

fn key_of(certificate: &CertificateDer<'_>) -> io::Result<PublicKey> {
    let parsed = ParsedCertificate::try_from(certificate).map_err(io::Error::other)?;
    PublicKey::from_spki(&parsed.subject_public_key_info())
        .ok_or_else(|| io::Error::other("the certificate is not for a device key"))
}

/// The listener's own certificate, renewed at the first handshake after two thirds of its time.
struct Own {
    centre: Arc<Centre>,
    names: Vec<String>,
    current: RwLock<Option<Current>>,
}

#[derive(Clone)]
struct Current {
    key: Arc<CertifiedKey>,
    renew_at_ms: i64,
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Own({:?})", self.names)
    }
}

impl Own {
    fn renewed(&self) -> Result<Arc<CertifiedKey>, AuthorityError> {
        let mut seed = Zeroizing::new([0; 32]);
        self.centre.random().fill_bytes(seed.as_mut());
        let made = self.centre.context().keys.authority.serve_as(&self.names, self.centre.now_ms(), &seed)?;
        let key = PrivatePkcs8KeyDer::from(made.key.as_slice());
        let key = ring::sign::any_eddsa_type(&key).map_err(|_| AuthorityError::Time)?;
        let chain = made.chain.into_iter().map(CertificateDer::from).collect();
        let key = Arc::new(CertifiedKey::new(chain, key));
        let current = Current { key: key.clone(), renew_at_ms: made.renew_at_ms };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(current);
        Ok(key)
    }
}

impl ResolvesServerCert for Own {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        if self.centre.now_ms() < current.renew_at_ms {
            return Some(current.key);
        }
        match self.renewed() {
            Ok(key) => {
                tracing::info!("the certificate of the terminals' listener was renewed");
                Some(key)
            }
            Err(e) => {
                tracing::error!(error = &e as &dyn std::error::Error, "no new certificate for terminals");
                Some(current.key)
            }
        }
    }
}
