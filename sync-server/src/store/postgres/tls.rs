//! TLS to PostgreSQL: whom the certificate of the server must lead to.
//!
//! With `sslrootcert` the server must show a certificate that one of that file's has signed, for the name in the
//! address. Without it the connection is encrypted and nobody is verified, as with libpq; the doctor says so.
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::StoreError;

/// Bytes of a file of certificates, at most.
const MAX_ROOT_BYTES: u64 = 1024 * 1024;

/// What protects connections; the file is read anew for each, so that a renewed one is taken without a restart.
///
/// # Errors
/// [`StoreError::Open`] if the file cannot be read or holds no certificate.
pub(super) fn connector(root: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| StoreError::Open(Box::new(e)))?;
    let config = match root {
        Some(path) => builder.with_root_certificates(roots(path)?),
        None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn roots(path: &Path) -> Result<RootCertStore, StoreError> {
    let unfit = |why: String| StoreError::Open(format!("sslrootcert {}: {why}", path.display()).into());
    let size = fs::metadata(path).map_err(|e| unfit(e.to_string()))?.len();
    if size > MAX_ROOT_BYTES {
        return Err(unfit("larger than 1 MiB, which no file of certificates is".to_owned()));
    }
    let pem = fs::read(path).map_err(|e| unfit(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| unfit(e.to_string()))?;
        roots.add(certificate).map_err(|e| unfit(e.to_string()))?;
    }
    if roots.is_empty() { Err(unfit("it holds no certificate in PEM".to_owned())) } else { Ok(roots) }
}

/// Takes any certificate, and still lets nobody use one whose key they do not have.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_certificates_that_is_none_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("written");
            path
        };
        let files = [
            folder.path().join("missing.pem"),
            write("empty.pem", b""),
            write("large.pem", &vec![b'\n'; 1024 * 1024 + 1]),
            write("odd.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ];
        for file in &files {
            let said = match connector(Some(file)) {
                Err(StoreError::Open(e)) => e.to_string(),
                other => format!("{}", other.is_ok()),
            };
            assert!(said.contains("sslrootcert") && said.contains(".pem"), "{said}");
        }
        assert!(connector(None).is_ok());
    }
}
