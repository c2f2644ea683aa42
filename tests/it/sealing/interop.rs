//! Suite 2 both ways with OpenSSL: what one side seals the other opens.
use anyhow::Result;
use domain::envelope::{Bytes, DataKey, Nonce, SealingKey, Suite, WrappedKey};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::openssl::{Sm2Pair, sm3, sm4_gcm, sm4_gcm_open};

/// As `docs/decisions/015` says.
const NO_NONCE: [u8; 12] = [0; 12];

fn bound(envelope: EnvelopeId) -> Vec<u8> {
    [b"jinban/wrap/2".as_slice(), envelope.as_bytes()].concat()
}

/// The SM4 key of the content, computed by OpenSSL.
fn content_key(data_key: &[u8]) -> Result<Vec<u8>> {
    let input = [data_key, b"jinban/data-key/2", &1_u32.to_be_bytes()].concat();
    Ok(sm3(&input)?[..16].to_vec())
}

#[test]
fn what_a_terminal_seals_in_the_national_suite_opens_with_openssl() -> Result<()> {
    for round in 0..8 {
        let mut rng = ChaCha20Rng::seed_from_u64(round);
        let pair = Sm2Pair::make()?;
        let centre = SealingKey::from_secret(Suite::Two, pair.secret)?;
        assert_eq!(centre.public().0.0, pair.public, "the same public key follows from the same private one");
        let (key, id, nonce) =
            (DataKey::random(Suite::Two, &mut rng), EnvelopeId::new(1, &mut rng), Nonce::new(&mut rng));
        let wrapped = key.wrap(&centre.public(), id, &mut rng)?;
        let fresh = pair.decrypt(&wrapped.encapsulated.0)?;
        assert_eq!(fresh.len(), 16, "an SM4 key");
        let opened = sm4_gcm_open(&fresh, &NO_NONCE, &wrapped.ciphertext.0, &bound(id))?;
        assert_eq!(opened, key.to_bytes().as_slice());
        let plain = vec![round as u8; 40 * round as usize];
        let sealed = key.encrypt(nonce, &plain, b"the header")?;
        assert_eq!(sm4_gcm_open(&content_key(&opened)?, &nonce.0, &sealed, b"the header")?, plain);
        assert!(sm4_gcm_open(&content_key(&opened)?, &nonce.0, &sealed, b"another").is_err());
    }
    Ok(())
}

#[test]
fn what_openssl_seals_in_the_national_suite_opens_at_the_centre() -> Result<()> {
    for round in 0..8 {
        let mut rng = ChaCha20Rng::seed_from_u64(100 + round);
        let pair = Sm2Pair::make()?;
        let centre = SealingKey::from_secret(Suite::Two, pair.secret)?;
        let (id, nonce) = (EnvelopeId::new(2, &mut rng), Nonce::new(&mut rng));
        let (mut fresh, mut key) = ([0; 16], [0; 32]);
        rng.fill_bytes(&mut fresh);
        rng.fill_bytes(&mut key);
        let wrapped = WrappedKey {
            encapsulated: Bytes(pair.encrypt(&fresh)?),
            ciphertext: Bytes(sm4_gcm(&fresh, &NO_NONCE, &key, &bound(id))?),
        };
        let opened = centre.unwrap_key(&wrapped, id)?;
        assert_eq!((opened.to_bytes().as_slice(), opened.suite()), (key.as_slice(), Suite::Two));
        let plain = vec![0xa5; 17 * round as usize];
        let sealed = sm4_gcm(&content_key(&key)?, &nonce.0, &plain, b"the header")?;
        assert_eq!(opened.decrypt(nonce, &sealed, b"the header")?.as_slice(), plain);
        assert!(opened.decrypt(nonce, &sealed, b"another").is_err());
    }
    Ok(())
}
