//! The certificate request (PKCS#10) of the device key. Refuses to ask for anything but a certificate of this key: what
//! stands in it is the centre's business.
use domain::envelope::{Bytes, PublicKey};
use rcgen::{CertificateParams, DistinguishedName, PublicKeyData, SignatureAlgorithm, SigningKey};

use crate::key_store::{KeyStore, KeyStoreError};

/// A request signed by the key, DER.
///
/// # Errors
/// [`KeyStoreError`] if the key does not sign.
pub fn certificate_request(key: &dyn KeyStore) -> Result<Bytes, KeyStoreError> {
    let mut about = CertificateParams::default();
    about.distinguished_name = DistinguishedName::new();
    let signing = Signing { key, public: key.public() };
    let request = about.serialize_request(&signing).map_err(|e| KeyStoreError(e.to_string()))?;
    Ok(Bytes(request.der().to_vec()))
}

/// The key as the library wants it.
struct Signing<'a> {
    key: &'a dyn KeyStore,
    public: PublicKey,
}

impl PublicKeyData for Signing<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public.0.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl SigningKey for Signing<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key.sign(message).map(|s| s.0.0).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
