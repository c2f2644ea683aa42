//! One byte of the repository flipped, at 2,000 places: never is another content accepted.
use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use domain::wire::v1::tuf::TUF_TARGETS;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use terminal::store::CatalogueTrust;
use terminal::sync::catalogue_client::{CatalogueClient as _, Staging, TufClient};
use tests::signed::{Mirror, NOW_MS, Publisher, catalogue};

/// Places that are flipped.
const PLACES: u32 = 2_000;

fn pick(below: usize, rng: &mut ChaCha20Rng) -> usize {
    usize::try_from(rng.next_u64() % below as u64).unwrap_or(0)
}

#[test]
fn no_flipped_byte_is_ever_accepted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut publisher = Publisher::new(&folder.path().join("tuf"), 3, NOW_MS)?;
    let trust = CatalogueTrust::in_root(publisher.first_root()?);
    publisher.rotate_online(NOW_MS)?;
    publisher.publish(2, NOW_MS)?;
    let mirror = Mirror::of(&publisher)?;
    let honest = mirror.state().files.clone();
    let mut client = TufClient::new(Box::new(mirror.clone()), folder.path().join("look"))?;
    let staging = Staging::new(folder.path().join("staging"));
    let expected = catalogue(2)?;
    let published = client.look(&trust, None)?;
    let offers = published.offers.clone();
    client.fetch(&offers[0], &staging)?;
    staging.sweep(None)?;
    // Superseded files are never asked for.
    let asked: BTreeSet<String> = mirror.state().asked.iter().map(|(address, _)| address.clone()).collect();
    let addresses: Vec<&String> = honest.keys().filter(|a| asked.contains(*a)).collect();
    assert_eq!(addresses.len(), 5, "a root, a timestamp, a snapshot, a list, a catalogue");
    let target = addresses.iter().find(|a| a.starts_with(TUF_TARGETS)).copied().context("a catalogue")?;
    let mut rng = ChaCha20Rng::seed_from_u64(20_261_128);
    let (mut refused, mut harmless, mut of_target) = (0, 0, 0);
    for place in 0..PLACES {
        // Half of the places lie in metadata, which is much smaller than the catalogue.
        let address = if place % 2 == 0 { addresses[pick(addresses.len(), &mut rng)] } else { target };
        let at = pick(honest[address].len(), &mut rng);
        let bits = 1 + u8::try_from(rng.next_u64() % 255).unwrap_or(0);
        mirror.state().files.get_mut(address).expect("the file")[at] ^= bits;
        let looked = client.look(&trust, None);
        of_target += u32::from(address.starts_with(TUF_TARGETS));
        match looked {
            Ok(news) if news.offers == offers => {
                let fetched = client.fetch(&offers[0], &staging);
                if address.starts_with(TUF_TARGETS) {
                    assert!(fetched.is_err(), "{address} byte {at} ^ {bits}");
                    refused += 1;
                } else {
                    // Spaces, the case of a digit in a signature: other bytes of the same meaning.
                    fetched?;
                    harmless += 1;
                }
                staging.sweep(None)?;
            }
            Ok(news) => assert!(news.offers.is_empty(), "{address} byte {at} ^ {bits}: {news:?}"),
            Err(_) => refused += 1,
        }
        mirror.state().files.get_mut(address).expect("the file")[at] ^= bits;
    }
    assert!(refused > PLACES * 9 / 10, "{refused} refused, {harmless} harmless of {PLACES}");
    assert!(of_target > PLACES / 2, "{of_target} places of the packed catalogue");
    client.look(&trust, None)?;
    client.fetch(&offers[0], &staging)?;
    assert_eq!(staging.open(&offers[0])?, expected, "and the honest bytes are accepted");
    Ok(())
}
