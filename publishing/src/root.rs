//! The root: which keys count for which role. Made and changed on paper first, signed by one holder after the other,
//! and trusted only with enough signatures of the old keys and of the new ones.
//!
//! House rules beyond TUF: root needs two signatures, the other roles one; all keys are Ed25519; no key has two
//! roles; snapshots are consistent.
use std::collections::BTreeSet;

use domain::envelope::Digest;
use serde_json::json;
use tough::schema::key::Key;
use tough::schema::{Role, RoleType, Root, Signed};

use crate::key::{PublicKeys, RoleKey, RoleName, RolePublic, id_of};
use crate::metadata::{self, MetadataError, SPEC_VERSION, instant};

/// Bytes of a root, at most.
pub const MOST_ROOT_BYTES: u64 = 64 * 1024;

/// A root with enough signatures of its own keys.
#[derive(Debug, Clone)]
pub struct TrustedRoot(pub(crate) Signed<Root>);

impl TrustedRoot {
    /// Reads a root that is trusted because of where it comes from.
    ///
    /// # Errors
    /// [`MetadataError`] if it breaks a rule or is not signed by enough of its own keys.
    pub fn read(bytes: &[u8]) -> Result<Self, MetadataError> {
        RootDraft::read(bytes)?.finish(None)
    }

    /// As it stands in its file.
    ///
    /// # Errors
    /// [`MetadataError::Form`] if it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MetadataError> {
        metadata::to_bytes(&self.0)
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.0.signed.version.get()
    }

    /// When it ends, milliseconds since 1970.
    pub fn expires_ms(&self) -> i64 {
        metadata::expires_ms(&self.0.signed)
    }

    /// Ids of the keys of a role.
    pub fn key_ids(&self, role: RoleName) -> Vec<Digest> {
        key_ids(&self.0.signed, role)
    }

    /// Whether a key has this role.
    ///
    /// # Errors
    /// [`MetadataError::Form`] if the key has no id.
    pub fn has(&self, role: RoleName, key: &RolePublic) -> Result<bool, MetadataError> {
        Ok(self.key_ids(role).contains(&key.id()?))
    }

    /// Whether metadata of another role carries enough signatures.
    pub(crate) fn verify<T: Role>(&self, signed: &Signed<T>) -> Result<(), MetadataError> {
        verify(&self.0.signed, signed)
    }
}

/// A change of the keys of one role.
#[derive(Debug, Clone)]
pub struct RoleChange {
    /// Which role.
    pub role: RoleName,
    /// Keys that count no longer, by their id.
    pub remove: Vec<Digest>,
    /// Keys that count from now on.
    pub add: Vec<RolePublic>,
}

/// How many signatures a draft has, and needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Valid signatures of its own root keys.
    pub of_new: usize,
    /// Valid signatures of the root keys before; as many as needed if there were none.
    pub of_old: usize,
    /// As many are needed of each.
    pub needed: usize,
}

impl Standing {
    /// Whether it can be installed.
    pub fn is_enough(self) -> bool {
        self.of_new >= self.needed && self.of_old >= self.needed
    }
}

/// A root on its way: signed by nobody, by some, or by enough.
#[derive(Debug, Clone)]
pub struct RootDraft(Signed<Root>);

impl RootDraft {
    /// The first root, unsigned.
    ///
    /// # Errors
    /// [`MetadataError`] if the keys break a rule.
    pub fn first(keys: &PublicKeys, expires_ms: i64) -> Result<Self, MetadataError> {
        let mut roles = serde_json::Map::new();
        let mut table = serde_json::Map::new();
        for role in RoleName::ALL {
            let mut ids = Vec::new();
            for key in keys.of(role) {
                let id = key.id()?.to_string();
                table.insert(id.clone(), serde_json::to_value(&key).map_err(MetadataError::form)?);
                ids.push(id);
            }
            let entry = json!({ "keyids": ids, "threshold": role.threshold() });
            roles.insert(role.as_str().to_owned(), entry);
        }
        let root = json!({
            "_type": "root",
            "spec_version": SPEC_VERSION,
            "consistent_snapshot": true,
            "version": 1,
            "expires": instant(expires_ms)?,
            "keys": table,
            "roles": roles,
        });
        let root: Root = serde_json::from_value(root).map_err(MetadataError::form)?;
        hold_rules(&root)?;
        Ok(Self(Signed { signed: root, signatures: Vec::new() }))
    }

    /// The root after this one, unsigned: with other keys, or only with a later end.
    ///
    /// # Errors
    /// [`MetadataError`] if a key to be removed is none, or the keys break a rule.
    pub fn next(
        current: &TrustedRoot,
        changes: &[RoleChange],
        expires_ms: i64,
    ) -> Result<Self, MetadataError> {
        let mut root = current.0.signed.clone();
        root.version = metadata::version(current.version().saturating_add(1))?;
        root.expires = instant(expires_ms)?.parse().map_err(MetadataError::form)?;
        for change in changes {
            apply(&mut root, change)?;
        }
        let named: BTreeSet<Digest> = RoleName::ALL.iter().flat_map(|role| key_ids(&root, *role)).collect();
        root.keys.retain(|id, _| id_of(id).is_ok_and(|id| named.contains(&id)));
        hold_rules(&root)?;
        Ok(Self(Signed { signed: root, signatures: Vec::new() }))
    }

    /// Reads a draft with the signatures that it has.
    ///
    /// # Errors
    /// [`MetadataError`] if it breaks a rule.
    pub fn read(bytes: &[u8]) -> Result<Self, MetadataError> {
        if bytes.len() as u64 > MOST_ROOT_BYTES {
            return Err(MetadataError::Rule("a root has at most 64 KiB"));
        }
        let signed: Signed<Root> = metadata::read(bytes)?;
        hold_rules(&signed.signed)?;
        Ok(Self(signed))
    }

    /// As it stands in its file.
    ///
    /// # Errors
    /// [`MetadataError::Form`] if it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MetadataError> {
        metadata::to_bytes(&self.0)
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.0.signed.version.get()
    }

    /// Ids of the keys of a role.
    pub fn key_ids(&self, role: RoleName) -> Vec<Digest> {
        key_ids(&self.0.signed, role)
    }

    /// Adds the signature of a root key, of its own or of the root before.
    ///
    /// # Errors
    /// [`MetadataError::Stranger`] if the key has no say.
    pub fn sign(&mut self, key: &RoleKey, before: Option<&TrustedRoot>) -> Result<(), MetadataError> {
        let id = key.public()?.id()?;
        let known = key_ids(&self.0.signed, RoleName::Root).contains(&id)
            || before.is_some_and(|b| b.key_ids(RoleName::Root).contains(&id));
        if !known {
            return Err(MetadataError::Stranger { id });
        }
        metadata::add_signature(&mut self.0, key)
    }

    /// How many signatures it has.
    ///
    /// # Errors
    /// [`MetadataError::Form`] if it cannot be read.
    pub fn standing(&self, before: Option<&TrustedRoot>) -> Result<Standing, MetadataError> {
        let needed = RoleName::Root.threshold();
        let of_old = before.map(|b| self.signatures_of(&b.0.signed)).transpose()?.unwrap_or(needed);
        Ok(Standing { of_new: self.signatures_of(&self.0.signed)?, of_old, needed })
    }

    /// Makes it the trusted root, if it follows the one before and is signed by enough keys of both.
    ///
    /// # Errors
    /// [`MetadataError`] if it does not, or is not.
    pub fn finish(self, before: Option<&TrustedRoot>) -> Result<TrustedRoot, MetadataError> {
        if let Some(before) = before {
            if self.version() != before.version().saturating_add(1) {
                return Err(MetadataError::Rule("a root has the version after the one before it"));
            }
            before.verify(&self.0)?;
        }
        verify(&self.0.signed, &self.0)?;
        Ok(TrustedRoot(self.0))
    }

    /// Valid signatures by the root keys of some root.
    fn signatures_of(&self, root: &Root) -> Result<usize, MetadataError> {
        // `verify_role` counts for itself, so each signature is shown to it alone, with a threshold of one.
        let mut asked = root.clone();
        if let Some(role) = asked.roles.get_mut(&RoleType::Root) {
            role.threshold = metadata::version(1)?;
        }
        let mut valid = BTreeSet::new();
        for signature in &self.0.signatures {
            let alone = Signed { signed: self.0.signed.clone(), signatures: vec![signature.clone()] };
            if asked.verify_role(&alone).is_ok() {
                valid.insert(id_of(&signature.keyid)?);
            }
        }
        Ok(valid.len())
    }
}

fn verify<T: Role>(root: &Root, signed: &Signed<T>) -> Result<(), MetadataError> {
    let role = name_of(T::TYPE);
    root.verify_role(signed).map_err(|e| MetadataError::Unsigned { role, source: Box::new(e) })
}

fn name_of(role: RoleType) -> &'static str {
    RoleName::ALL.iter().find(|name| role_type(**name) == role).map_or("other", |name| name.as_str())
}

fn role_type(role: RoleName) -> RoleType {
    match role {
        RoleName::Root => RoleType::Root,
        RoleName::Targets => RoleType::Targets,
        RoleName::Snapshot => RoleType::Snapshot,
        RoleName::Timestamp => RoleType::Timestamp,
    }
}

fn key_ids(root: &Root, role: RoleName) -> Vec<Digest> {
    let ids = root.roles.get(&role_type(role)).map(|r| r.keyids.as_slice()).unwrap_or_default();
    ids.iter().filter_map(|id| id_of(id).ok()).collect()
}

fn apply(root: &mut Root, change: &RoleChange) -> Result<(), MetadataError> {
    let role = root
        .roles
        .get_mut(&role_type(change.role))
        .ok_or(MetadataError::Rule("a root names all four roles"))?;
    for id in &change.remove {
        let before = role.keyids.len();
        role.keyids.retain(|known| id_of(known).map_or(true, |known| known != *id));
        if role.keyids.len() == before {
            return Err(MetadataError::Stranger { id: *id });
        }
    }
    for key in &change.add {
        let id = key.0.key_id().map_err(MetadataError::form)?;
        if !role.keyids.contains(&id) {
            role.keyids.push(id.clone());
        }
        root.keys.insert(id, key.0.clone());
    }
    Ok(())
}

/// The house rules.
fn hold_rules(root: &Root) -> Result<(), MetadataError> {
    let rule = |holds: bool, words| if holds { Ok(()) } else { Err(MetadataError::Rule(words)) };
    rule(root.consistent_snapshot, "snapshots are consistent")?;
    rule(root.keys.values().all(|k| matches!(k, Key::Ed25519 { .. })), "all keys are Ed25519")?;
    let mut seen = BTreeSet::new();
    for role in RoleName::ALL {
        let keys =
            root.roles.get(&role_type(role)).ok_or(MetadataError::Rule("a root names all four roles"))?;
        let threshold = usize::try_from(keys.threshold.get()).unwrap_or(usize::MAX);
        rule(threshold == role.threshold(), "root needs two signatures, the other roles need one")?;
        rule(keys.keyids.len() >= threshold, "a role has at least as many keys as it needs signatures")?;
        for id in &keys.keyids {
            rule(root.keys.contains_key(id), "a role names only keys that are there")?;
            rule(seen.insert(id_of(id)?), "no key has two roles, or one twice")?;
        }
    }
    Ok(())
}
