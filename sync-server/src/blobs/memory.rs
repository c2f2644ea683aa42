//! Whole blobs in the memory of this process, for a centre that is simulated.
//!
//! What lies there outlives the program that a simulation ends, as synced files do, and calls need no thread. Refuses to be
//! set in a configuration: nothing of it survives the process.
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use domain::envelope::Digest;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::{BlobError, path_of};

/// Blobs in memory; a clone is the same place.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<InMemory>);

impl Memory {
    pub(super) fn objects(&self) -> Arc<dyn ObjectStore> {
        self.0.clone()
    }

    /// Turns one bit of what lies under a digest, counted from its first and around its end, as a failing disk does.
    ///
    /// # Errors
    /// [`BlobError`] if nothing lies there.
    pub fn flip_bit(&self, digest: &Digest, bit: usize) -> Result<(), BlobError> {
        let path = path_of(digest);
        let mut bytes = at_once(async { self.0.get(&path).await?.bytes().await })?.to_vec();
        let place = (bit / 8) % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << (bit % 8);
        }
        at_once(async { self.0.put(&path, bytes.into()).await })?;
        Ok(())
    }
}

/// What a call gives that waits for nothing.
fn at_once<T>(call: impl Future<Output = object_store::Result<T>>) -> Result<T, BlobError> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Ok(answer?),
        Poll::Pending => Err(BlobError::Place("memory does not answer".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BlobPlace, Blobs};
    use super::*;

    #[test]
    fn what_lies_in_memory_outlives_its_opener_and_a_turned_bit_is_told() {
        let memory = Memory::default();
        let place = BlobPlace::Memory(memory.clone());
        let open = || Blobs::open(&place).expect("open");
        let bytes = b"sealed bytes".to_vec();
        let digest = Digest::of(&bytes);
        assert!(memory.flip_bit(&digest, 0).is_err(), "nothing lies there");
        open().keep(&digest, bytes.clone()).expect("kept");
        assert_eq!(open().read(&digest).expect("read"), bytes);
        for bit in [0, 95, 96, 1_000_001] {
            memory.flip_bit(&digest, bit).expect("turned");
            assert!(matches!(open().read(&digest), Err(BlobError::Altered(d)) if d == digest), "{bit}");
            memory.flip_bit(&digest, bit).expect("turned back");
            assert_eq!(open().read(&digest).expect("read"), bytes, "{bit}");
        }
    }
}
