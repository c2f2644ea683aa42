//! What all links of a terminal share: the authority that they trust, and the certificate that they show.
//!
//! A renewed certificate is shown by the next connection of every link. One that has ended is not shown any more: the
//! call that asks for another one needs none.
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use domain::wire::v1::Certified;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use super::time::CentreTime;
use crate::key_store::KeyStore;

/// See the module.
pub struct Credentials {
    authority: CertificateDer<'static>,
    key: Arc<dyn KeyStore>,
    own: RwLock<Own>,
    time: Arc<CentreTime>,
}

struct Own {
    certified: Certified,
    shown: Arc<CertifiedKey>,
    /// The centre said that it has ended.
    ended: bool,
    /// How often it was renewed.
    renewals: u64,
}

impl Credentials {
    /// What a terminal was given by its centre.
    pub fn new(certified: Certified, key: Arc<dyn KeyStore>, time: CentreTime) -> Arc<Self> {
        let authority = CertificateDer::from(certified.authority.0.clone());
        let own = RwLock::new(own(certified, &key));
        Arc::new(Self { authority, key, own, time: Arc::new(time) })
    }

    /// The authority that is trusted.
    pub(super) fn authority(&self) -> &CertificateDer<'static> {
        &self.authority
    }

    pub(super) fn time(&self) -> Arc<CentreTime> {
        self.time.clone()
    }

    /// The device key.
    pub fn key(&self) -> &dyn KeyStore {
        self.key.as_ref()
    }

    /// Whether it is time for another certificate: a third of its time is left, or the centre said that it has ended.
    pub fn is_renewal_due(&self) -> bool {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let Certified { issued_at_ms, expires_at_ms, .. } = own.certified;
        let third = expires_at_ms.saturating_sub(issued_at_ms) / 3;
        own.ended || self.time.now_ms() >= expires_at_ms.saturating_sub(third)
    }

    /// Whether a certificate is one that this terminal may take in place of its own: of the same authority and key.
    pub fn fits(&self, certified: &Certified) -> bool {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let same = super::key_of(&certified.certificate.0).is_some_and(|key| key == self.key.public());
        same && certified.authority == own.certified.authority
            && certified.expires_at_ms > certified.issued_at_ms
    }

    /// Shows this certificate from now on.
    pub fn renew(&self, certified: Certified) {
        let mut kept = self.own.write().unwrap_or_else(PoisonError::into_inner);
        let renewals = kept.renewals + 1;
        *kept = Own { renewals, ..own(certified, &self.key) };
    }

    /// How often the certificate was renewed: connections from before show another one, or none.
    pub(in crate::sync) fn renewals(&self) -> u64 {
        self.own.read().unwrap_or_else(PoisonError::into_inner).renewals
    }

    /// The centre said that the certificate has ended, whatever the clock here says.
    pub(in crate::sync) fn note_ended(&self) {
        self.own.write().unwrap_or_else(PoisonError::into_inner).ended = true;
    }

    fn shown(&self) -> Option<Arc<CertifiedKey>> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let good = !own.ended && self.time.now_ms() < own.certified.expires_at_ms;
        good.then(|| own.shown.clone())
    }
}

fn own(certified: Certified, key: &Arc<dyn KeyStore>) -> Own {
    let chain = vec![CertificateDer::from(certified.certificate.0.clone())];
    let shown = Arc::new(CertifiedKey::new(chain, Arc::new(Remote(key.clone()))));
    Own { certified, shown, ended: false, renewals: 0 }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.key.public().key_id())
    }
}

impl ResolvesClientCert for Credentials {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.shown().filter(|_| schemes.contains(&SignatureScheme::ED25519))
    }

    fn has_certs(&self) -> bool {
        self.shown().is_some()
    }
}

/// The key in its store, as the library wants it.
#[derive(Debug, Clone)]
struct Remote(Arc<dyn KeyStore>);

impl SigningKey for Remote {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.0.public().to_spki()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for Remote {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(message).map(|s| s.0.0).map_err(|e| Error::General(e.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
