//! Trust at enrolment: the listener's certificate must be signed by the authority whose fingerprint was typed with the
//! code. Everything else, name and end, is checked as ever.
use std::sync::Arc;

use domain::enrolment::Fingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::{key_of, verifier};

/// Takes certificates of one authority, which comes with them.
#[derive(Debug)]
pub(super) struct OfCentre {
    centre: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl OfCentre {
    pub(super) fn new(centre: Fingerprint, provider: Arc<CryptoProvider>) -> Self {
        Self { centre, provider }
    }
}

impl ServerCertVerifier for OfCentre {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let foreign = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let is_centre =
            |c: &&CertificateDer<'_>| key_of(c).is_some_and(|k| Fingerprint::of(&k) == self.centre);
        let authority = others.iter().find(is_centre).ok_or_else(foreign)?;
        let verifier = verifier(authority, &self.provider).map_err(|_| foreign())?;
        verifier.verify_server_cert(own, &[], name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
