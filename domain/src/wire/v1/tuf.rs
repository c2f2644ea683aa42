//! Addresses and names under `/tuf/`: where signed catalogue versions lie, and what their files are called.
//!
//! The files themselves are those of The Update Framework (TUF 1.0) with consistent snapshots; `publishing` makes
//! them and the terminal verifies them. Only names of these forms exist, so that no name can lead anywhere else.
use crate::envelope::Digest;

/// Address of the metadata on the terminals' listener.
pub const TUF_METADATA: &str = "/tuf/metadata/";
/// Address of the targets on the terminals' listener.
pub const TUF_TARGETS: &str = "/tuf/targets/";
/// Name of the one metadata file that changes.
pub const TUF_TIMESTAMP: &str = "timestamp.json";
/// Field of the signed timestamp that says when the centre signed it, in milliseconds since 1970.
pub const TUF_SIGNED_AT: &str = "x-signed-at-ms";
/// Bytes of a packed catalogue, at most.
pub const MAX_TARGET_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of a metadata file, at most.
pub const MAX_METADATA_BYTES: u64 = 1024 * 1024;

/// Name of the target that holds a catalogue version: canonical JSON, packed with zstd.
pub fn target_name(version: u64) -> String {
    format!("catalogue-{version}.json.zst")
}

/// The catalogue version that a target holds; none if it is something else.
pub fn target_version(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("catalogue-")?.strip_suffix(".json.zst")?;
    plain_number(digits)
}

/// Name of the file of a target: consistent snapshots put its SHA-256 before its name.
pub fn target_file(digest: &Digest, version: u64) -> String {
    format!("{digest}.{}", target_name(version))
}

/// Whether a name is that of a target's file.
pub fn is_target_file(name: &str) -> bool {
    let Some((digest, rest)) = name.split_once('.') else { return false };
    let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    digest.len() == 64 && digest.bytes().all(digits) && target_version(rest).is_some()
}

/// The version of a metadata file such as `7.root.json`, if the name is of that form; zero for the timestamp.
pub fn metadata_version(name: &str) -> Option<u64> {
    if name == TUF_TIMESTAMP {
        return Some(0);
    }
    let (version, role) = name.split_once('.')?;
    matches!(role, "root.json" | "snapshot.json" | "targets.json").then(|| plain_number(version)).flatten()
}

/// A number without leading zeros, from 1 on.
fn plain_number(digits: &str) -> Option<u64> {
    let number: u64 = digits.parse().ok().filter(|n| (1..=i64::MAX.unsigned_abs()).contains(n))?;
    (number.to_string() == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_targets_go_both_ways() {
        assert_eq!(target_version(&target_name(12)), Some(12));
        for bad in [
            "",
            "catalogue-.json.zst",
            "catalogue-0.json.zst",
            "catalogue-01.json.zst",
            "catalogue--1.json.zst",
            "catalogue-+1.json.zst",
            "catalogue-1.json",
            "catalogue-9223372036854775808.json.zst",
            "../catalogue-1.json.zst",
        ] {
            assert_eq!(target_version(bad), None, "{bad}");
        }
        assert!(is_target_file(&target_file(&Digest::of(b"x"), 3)));
        let upper = target_file(&Digest::of(b"x"), 3).to_uppercase();
        for bad in ["", "abc.catalogue-3.json.zst", "..%2fx", &upper] {
            assert!(!is_target_file(bad), "{bad}");
        }
    }

    #[test]
    fn names_of_metadata_are_few() {
        for (name, version) in [("timestamp.json", 0), ("1.root.json", 1), ("20.targets.json", 20)] {
            assert_eq!(metadata_version(name), Some(version), "{name}");
        }
        for bad in [
            "",
            "root.json",
            "0.root.json",
            "01.root.json",
            "1.mirrors.json",
            "../1.root.json",
            "1.root.json/",
        ] {
            assert_eq!(metadata_version(bad), None, "{bad}");
        }
    }
}
