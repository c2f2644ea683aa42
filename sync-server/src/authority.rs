//! The centre's own authority: signs certificates of terminals and of the terminals' listener, and knows its own again.
//! The only place that names `rcgen` and `x509_parser`.
//!
//! Everything follows from one Ed25519 key and the time: the authority's own certificate is the same at every start,
//! so that nothing but the key is kept. Refuses to certify a key whose owner did not sign the request.
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use domain::enrolment::Fingerprint;
use domain::envelope::{Bytes, DeviceKey, Digest, PublicKey};
use domain::ids::TerminalId;
use domain::wire::v1::Certified;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber, SubjectPublicKeyInfo,
    date_time_ymd,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

const DAY_MS: i64 = 24 * 3_600_000;
/// How long a terminal's certificate is good: three times the longest time that a terminal may be without a link, so
/// that it renews its certificate, which it does when a third is left, before it ends.
pub const TERMINAL_DAYS: i64 = 90;
/// How long the listener's certificate is good; it is renewed when a third is left.
pub const SERVER_DAYS: i64 = 90;
/// A terminal's certificate begins so long before it was issued, because clocks of servers differ.
const BACK_MS: i64 = DAY_MS;
/// Bytes of a certificate request, and of a certificate that is shown, at most; ours have some 200 and 400.
const MAX_REQUEST_BYTES: usize = 4_096;
/// What certificates of terminals say that they are for.
const TERMINAL: &str = "Jinban terminal";
/// Names in the listener's certificate, at most.
pub const MAX_NAMES: usize = 20;

/// No certificate can be made or taken.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The library refuses.
    #[error("no certificate can be made")]
    Make(#[from] rcgen::Error),
    /// A time that no certificate holds.
    #[error("the clock shows a time that no certificate holds")]
    Time,
    /// The request is not readable, not signed by its key, or its key is no Ed25519 key.
    #[error("the certificate request does not hold")]
    Request,
}

/// A certificate for a listener, with its key.
pub struct ServerCertificate {
    /// Its certificate and the authority's, DER.
    pub chain: Vec<Vec<u8>>,
    /// Its private key, PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
    /// When to make another one, milliseconds since 1970.
    pub renew_at_ms: i64,
}

/// The authority. Never printed but for its fingerprint.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    public: PublicKey,
    certificate: Vec<u8>,
    fingerprint: Fingerprint,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.fingerprint)
    }
}

impl Authority {
    /// The authority of a key.
    ///
    /// # Errors
    /// [`AuthorityError::Make`] if the library refuses the key.
    pub fn of(key: &DeviceKey) -> Result<Self, AuthorityError> {
        let pair = key_pair(key)?;
        let public = key.public();
        let mut about = named("Jinban centre", key.key_id().as_str());
        about.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        about.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        // The same certificate at every start: its number follows from the key, its time has no end. Trust in it ends
        // when terminals are enrolled with another one.
        about.serial_number = Some(serial(&[b"authority", public.0.0.as_slice()]));
        let certificate = about.self_signed(&pair)?.der().to_vec();
        let fingerprint = Fingerprint::of(&public);
        Ok(Self { issuer: Issuer::new(about, pair), public, certificate, fingerprint })
    }

    /// What a technician compares.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Its own certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Its own certificate as PEM, for programs that read that.
    pub fn to_pem(&self) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(&self.certificate);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    /// A certificate for a terminal's device key.
    ///
    /// # Errors
    /// [`AuthorityError`] if none can be made.
    pub fn certify(
        &self,
        terminal: &TerminalId,
        key: &PublicKey,
        now_ms: i64,
    ) -> Result<Certified, AuthorityError> {
        let expires_at_ms = now_ms.saturating_add(TERMINAL_DAYS * DAY_MS);
        let mut about = named(TERMINAL, terminal.as_str());
        about.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let begin_ms = now_ms.saturating_sub(BACK_MS);
        bounded(&mut about, (begin_ms, expires_at_ms), &[terminal.as_str().as_bytes(), key.0.0.as_slice()])?;
        let spki = SubjectPublicKeyInfo::from_der(&key.to_spki())?;
        let certificate = about.signed_by(&spki, &self.issuer)?;
        Ok(Certified {
            certificate: Bytes(certificate.der().to_vec()),
            authority: Bytes(self.certificate.clone()),
            issued_at_ms: now_ms,
            expires_at_ms,
        })
    }

    /// The terminal that a certificate names, and its key, if this authority signed it for a terminal. That it has ended
    /// does not matter: it says who somebody was.
    pub fn certified(&self, certificate: &[u8]) -> Option<(TerminalId, PublicKey)> {
        if certificate.len() > MAX_REQUEST_BYTES {
            return None;
        }
        let (rest, parsed) = X509Certificate::from_der(certificate).ok()?;
        let key: [u8; 32] = self.public.0.0.as_slice().try_into().ok()?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key).ok()?;
        let signature = ed25519_dalek::Signature::from_slice(&parsed.signature_value.data).ok()?;
        key.verify_strict(parsed.tbs_certificate.as_ref(), &signature).ok()?;
        let mut purposes = parsed.subject().iter_organization();
        let mut names = parsed.subject().iter_common_name();
        let one = |(purpose, name): (&str, &str)| (purpose == TERMINAL).then(|| name.parse().ok()).flatten();
        let terminal = one((purposes.next()?.as_str().ok()?, names.next()?.as_str().ok()?))?;
        let alone = rest.is_empty() && purposes.next().is_none() && names.next().is_none();
        let key = PublicKey::from_spki(parsed.public_key().raw)?;
        alone.then_some((terminal, key))
    }

    /// A certificate for a listener that is reached under these names and addresses, with a key of its own that is
    /// made of a random seed.
    ///
    /// # Errors
    /// [`AuthorityError`] if none can be made.
    pub fn serve_as(
        &self,
        names: &[String],
        now_ms: i64,
        seed: &Zeroizing<[u8; 32]>,
    ) -> Result<ServerCertificate, AuthorityError> {
        let key = DeviceKey::from_seed(**seed);
        let mut about = named("Jinban centre", "terminals");
        about.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        for name in names.iter().take(MAX_NAMES) {
            about.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into()?),
            });
        }
        let span_ms = SERVER_DAYS * DAY_MS;
        let expires_at_ms = now_ms.saturating_add(span_ms);
        let public = key.public();
        // It begins long ago: a terminal whose clock lags must still come in.
        bounded(&mut about, (0, expires_at_ms), &[public.0.0.as_slice()])?;
        let certificate = about.signed_by(&key_pair(&key)?, &self.issuer)?;
        Ok(ServerCertificate {
            chain: vec![certificate.der().to_vec(), self.certificate.clone()],
            key: key.to_pkcs8(),
            renew_at_ms: expires_at_ms.saturating_sub(span_ms / 3),
        })
    }
}

/// The key that a certificate request names and is signed by.
///
/// # Errors
/// [`AuthorityError::Request`] if it does not hold.
pub fn requested_key(csr: &[u8]) -> Result<PublicKey, AuthorityError> {
    if csr.len() > MAX_REQUEST_BYTES {
        return Err(AuthorityError::Request);
    }
    let request =
        CertificateSigningRequestParams::from_der(&csr.into()).map_err(|_| AuthorityError::Request)?;
    PublicKey::from_spki(&request.public_key.subject_public_key_info()).ok_or(AuthorityError::Request)
}

fn key_pair(key: &DeviceKey) -> Result<KeyPair, AuthorityError> {
    Ok(KeyPair::try_from(key.to_pkcs8().as_slice())?)
}

fn named(unit: &str, name: &str) -> CertificateParams {
    let mut about = CertificateParams::default();
    about.distinguished_name = rcgen::DistinguishedName::new();
    about.distinguished_name.push(DnType::OrganizationName, unit);
    about.distinguished_name.push(DnType::CommonName, name);
    about.is_ca = IsCa::ExplicitNoCa;
    about.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    about.use_authority_key_identifier_extension = true;
    about
}

/// Begin, end and number of a certificate.
fn bounded(
    about: &mut CertificateParams,
    (begin_ms, end_ms): (i64, i64),
    parts: &[&[u8]],
) -> Result<(), AuthorityError> {
    let at = |ms: i64| {
        let since = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        date_time_ymd(1970, 1, 1).checked_add(since.try_into().ok()?)
    };
    about.not_before = at(begin_ms).ok_or(AuthorityError::Time)?;
    about.not_after = at(end_ms).ok_or(AuthorityError::Time)?;
    let times = [begin_ms.to_be_bytes(), end_ms.to_be_bytes()].concat();
    about.serial_number = Some(serial(&[parts, &[times.as_slice()]].concat()));
    Ok(())
}

/// The number of a certificate: 126 bits of a hash of what makes it another one than all others.
fn serial(parts: &[&[u8]]) -> SerialNumber {
    let digest = Digest::of(&parts.concat());
    let mut bytes = digest.as_bytes()[..16].to_vec();
    // Positive and of one length, as RFC 5280 wants it.
    bytes[0] = bytes[0] & 0x3f | 0x40;
    SerialNumber::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(seed: u8) -> Authority {
        Authority::of(&DeviceKey::from_seed([seed; 32])).expect("an authority")
    }

    #[test]
    fn an_authority_is_the_same_at_every_start() {
        assert_eq!(authority(1).certificate(), authority(1).certificate());
        assert_ne!(authority(1).certificate(), authority(2).certificate());
        assert_ne!(authority(1).fingerprint(), authority(2).fingerprint());
    }

    #[test]
    fn a_request_holds_only_for_the_key_that_signed_it() {
        let key = DeviceKey::from_seed([3; 32]);
        let mut about = named(TERMINAL, "T-01");
        about.use_authority_key_identifier_extension = false;
        let csr =
            about.serialize_request(&key_pair(&key).expect("a pair")).expect("a request").der().to_vec();
        assert_eq!(requested_key(&csr).ok(), Some(key.public()));
        let changed = |place: usize| {
            let mut changed = csr.clone();
            changed[place] ^= 1;
            requested_key(&changed)
        };
        // Whatever is altered, it is never a request for another key; what is signed and the signature hold as a whole.
        assert!((0..csr.len()).all(|place| changed(place).map_or(true, |found| found == key.public())));
        let begin = csr.windows(32).position(|w| w == key.public().0.0).expect("its key");
        for place in (begin..begin + 32).chain(csr.len() - 64..csr.len()) {
            assert!(changed(place).is_err(), "byte {place}");
        }
        assert!(requested_key(&[]).is_err());
        assert!(requested_key(&vec![0x30; MAX_REQUEST_BYTES + 1]).is_err());
    }

    #[test]
    fn an_authority_knows_its_own_certificates_of_terminals_and_no_others() {
        let (ours, key) = (authority(1), DeviceKey::from_seed([3; 32]).public());
        let terminal: TerminalId = "T-07".parse().expect("an id");
        let now_ms = 1_795_500_000_000;
        // Long ended, and still a proof.
        let own =
            ours.certify(&terminal, &key, now_ms - 9 * 365 * DAY_MS).expect("a certificate").certificate.0;
        assert_eq!(ours.certified(&own), Some((terminal.clone(), key.clone())));
        let foreign = authority(2).certify(&terminal, &key, now_ms).expect("a certificate").certificate.0;
        assert_eq!(ours.certified(&foreign), None);
        let seed = DeviceKey::from_seed([3; 32]).to_seed();
        let listener = ours.serve_as(&["T-07".to_owned()], now_ms, &seed).expect("a certificate").chain;
        assert!(listener.iter().all(|certificate| ours.certified(certificate).is_none()));
        for place in 0..own.len() {
            for bit in 0..8 {
                let mut altered = own.clone();
                altered[place] ^= 1 << bit;
                // The outer name of the algorithm is not signed; whatever else is altered, it is nobody's.
                let found = ours.certified(&altered);
                assert!(found.is_none_or(|found| found == (terminal.clone(), key.clone())), "byte {place}");
            }
            assert_eq!(ours.certified(&own[..place]), None);
        }
        assert_eq!(ours.certified(&[own.as_slice(), &[0]].concat()), None);
        assert_eq!(ours.certified(&vec![0x30; MAX_REQUEST_BYTES + 1]), None);
    }

    #[test]
    fn certificates_differ_by_their_time() {
        let (authority, key) = (authority(1), DeviceKey::from_seed([3; 32]).public());
        let terminal: TerminalId = "T-01".parse().expect("an id");
        let now_ms = 1_795_500_000_000;
        let one = authority.certify(&terminal, &key, now_ms).expect("a certificate");
        let later = authority.certify(&terminal, &key, now_ms + 1_000).expect("a certificate");
        assert_eq!(one, authority.certify(&terminal, &key, now_ms).expect("a certificate"));
        assert_ne!(one.certificate, later.certificate);
        assert_eq!(one.expires_at_ms - one.issued_at_ms, TERMINAL_DAYS * DAY_MS);
        assert!(authority.certify(&terminal, &key, i64::MAX).is_err());
    }
}
