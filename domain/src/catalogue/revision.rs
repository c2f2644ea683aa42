//! Versions: the number of the whole, which rises with each publication, and the revision of each item and bundle,
//! which rises only when something of it changed.
use serde::Serialize;
use serde_json::Value;

use super::canonical::{sorted, to_value};
use super::{Catalogue, Entry};
use crate::envelope::Digest;
use crate::ids::ItemCode;

impl Entry<'_> {
    /// Digest of everything but the revision: equal content has an equal digest in every version.
    pub fn content_digest(self) -> Digest {
        match self {
            Self::Item(item) => digest(item),
            Self::Bundle(bundle) => digest(bundle),
        }
    }

    /// Rises when the content changes.
    pub fn revision(self) -> u64 {
        match self {
            Self::Item(item) => item.revision,
            Self::Bundle(bundle) => bundle.revision,
        }
    }
}

fn digest<T: Serialize>(entry: &T) -> Digest {
    let mut value = sorted(to_value(entry));
    if let Value::Object(map) = &mut value {
        map.shift_remove("revision");
    }
    Digest::of(value.to_string().as_bytes())
}

impl Catalogue {
    /// Makes this the version after another: the number of the whole is the next one, and each item and bundle has
    /// the revision of before, or the next one if its content changed. What is new begins with 1.
    #[must_use]
    pub fn succeeding(mut self, previous: &Self) -> Self {
        self.version = previous.version.saturating_add(1);
        let revision = |code: &ItemCode, digest: Digest| match previous.entry(code) {
            Some(before) if before.content_digest() == digest => before.revision(),
            Some(before) => before.revision().saturating_add(1),
            None => 1,
        };
        for (code, item) in &mut self.items {
            item.revision = revision(code, Entry::Item(item).content_digest());
        }
        for (code, bundle) in &mut self.bundles {
            bundle.revision = revision(code, Entry::Bundle(bundle).content_digest());
        }
        self
    }
}
