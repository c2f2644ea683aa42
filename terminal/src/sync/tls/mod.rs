//! TLS of the link to the centre: whom this terminal trusts, and who it says it is.
//!
//! Before enrolment a terminal trusts the authority whose fingerprint came with the code, afterwards only the one that
//! is kept in its store. Version 1.3 only, no roots of the system. Refuses to send one byte to anybody else.
mod credentials;
mod fingerprint;
mod request;
mod time;

pub use credentials::Credentials;
pub use request::certificate_request;
pub use time::CentreTime;

use std::error::Error;
use std::io;
use std::sync::Arc;

use domain::enrolment::Fingerprint;
use domain::envelope::PublicKey;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use crate::clock::{Clock, SystemClock};
use crate::store::{Identity, Store, StoreError};
use crate::trusted_time::Reading;

/// Whom a link trusts.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Nobody: plain HTTP on this machine is all there is.
    Nobody,
    /// The centre whose authority has this fingerprint; for enrolment.
    Centre(Fingerprint),
    /// The centre whose authority is kept, which is shown this terminal's certificate.
    Pinned(Arc<Credentials>),
}

impl Trust {
    /// Whom the terminal of this store trusts: after enrolment its centre only.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn of(store: &mut Store, clock: &Arc<dyn Clock>) -> Result<Self, StoreError> {
        let Some(certified) = store.identity()?.and_then(|identity| identity.certified) else {
            return Ok(Self::Nobody);
        };
        let calendar_ms = store.tell_time(Reading::of(clock.as_ref()))?.calendar_ms;
        let time = CentreTime::by(clock.clone(), calendar_ms);
        Ok(Self::Pinned(Credentials::new(certified, store.key_store(), time)))
    }

    /// The centre of an enrolled terminal, asked by somebody who has not its key.
    pub fn without_key(identity: Option<&Identity>) -> Self {
        let certified = identity.and_then(|identity| identity.certified.as_ref());
        let authority = certified.and_then(|certified| key_of(&certified.authority.0));
        authority.map_or(Self::Nobody, |key| Self::Centre(Fingerprint::of(&key)))
    }
}

/// What is wrong with a link, as far as TLS can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The certificate is not of the centre that is trusted.
    Foreign,
    /// The certificate has ended, or this machine's clock is wrong.
    Expired,
    /// The certificate is for another name than the address has.
    OtherName,
    /// Whoever answers speaks no TLS 1.3.
    NoTls,
    /// The centre says that this terminal's own certificate has ended.
    OwnExpired,
    /// The centre does not take this terminal's own certificate.
    OwnRefused,
}

impl Trouble {
    /// Words for the log and a technician.
    pub fn words(self) -> &'static str {
        match self {
            Self::Foreign => "its certificate is not of the centre that this terminal trusts",
            Self::Expired => "its certificate has ended, or this machine's clock is wrong",
            Self::OtherName => "its certificate is for another name than the address of the centre",
            Self::NoTls => "it speaks no TLS 1.3",
            Self::OwnExpired => "it says that this terminal's certificate has ended",
            Self::OwnRefused => "it does not take this terminal's certificate",
        }
    }
}

/// No link can be made with this trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("TLS cannot be set up on this machine")]
pub struct SetupError;

/// What speaks TLS for this trust.
///
/// # Errors
/// [`SetupError`] if the kept authority is none.
pub(super) fn client_config(trust: &Trust) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(ring::default_provider());
    let time: Arc<CentreTime> = match trust {
        Trust::Pinned(credentials) => credentials.time(),
        Trust::Nobody | Trust::Centre(_) => Arc::new(CentreTime::of_machine(Arc::new(SystemClock))),
    };
    let builder = ClientConfig::builder_with_details(provider.clone(), time)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| SetupError)?;
    let mut config = match trust {
        Trust::Nobody => builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
        Trust::Centre(centre) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(fingerprint::OfCentre::new(centre.clone(), provider)))
            .with_no_client_auth(),
        Trust::Pinned(credentials) => builder
            .with_webpki_verifier(verifier(credentials.authority(), &provider)?)
            .with_client_cert_resolver(credentials.clone()),
    };
    // Each connection shows its certificate anew.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn verifier(
    authority: &CertificateDer<'_>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, SetupError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone().into_owned()).map_err(|_| SetupError)?;
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|_| SetupError)
}

/// The Ed25519 key that a certificate names; nothing if it names another one or is none.
pub fn key_of(certificate: &[u8]) -> Option<PublicKey> {
    let certificate = CertificateDer::from(certificate);
    let parsed = ParsedCertificate::try_from(&certificate).ok()?;
    PublicKey::from_spki(&parsed.subject_public_key_info())
}

/// What TLS says about an error, if it comes from there.
pub(super) fn trouble(error: &(dyn Error + 'static)) -> Option<Trouble> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(named(found));
        }
        // An error of the operating system's kind that holds another one names the cause of that one, not it.
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

fn named(error: &rustls::Error) -> Trouble {
    use CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. },
        ) => Trouble::Expired,
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            Trouble::OtherName
        }
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Trouble::Foreign,
        rustls::Error::AlertReceived(AlertDescription::CertificateExpired) => Trouble::OwnExpired,
        rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied,
        ) => Trouble::OwnRefused,
        _ => Trouble::NoTls,
    }
}
