//! Where whole blobs lie: a folder, or a bucket that speaks S3; in a simulation memory.
//!
//! S3 is spoken over plain HTTP: what travels is sealed, its name is its SHA-256 and is checked on the way back, and
//! each call is signed (SigV4) without its secret ever travelling. Whoever wants TLS as well names a TLS proxy on this
//! machine. Refuses addresses that it would not speak to.
use std::fmt;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, RetryConfig};
use zeroize::Zeroizing;

use super::BlobError;
use super::memory::Memory;
use super::plain_http::PlainHttp;
use crate::secret_file::name_and_secret;

/// The region that stores of one's own take.
const REGION: &str = "us-east-1";

/// What proves to S3 who calls. Never printed; the secret is wiped when dropped.
#[derive(Clone)]
pub struct Credentials {
    id: String,
    secret: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

impl Credentials {
    /// An access key with its secret.
    pub fn new(id: &str, secret: &str) -> Self {
        Self { id: id.to_owned(), secret: Zeroizing::new(secret.to_owned()) }
    }

    /// Reads a file of two lines, access key and secret, which nobody else may read.
    ///
    /// # Errors
    /// [`BlobError::Place`] with what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, BlobError> {
        let (id, secret) = name_and_secret("s3_credentials", path).map_err(BlobError::Place)?;
        Ok(Self { id, secret })
    }
}

/// Where whole blobs lie.
#[derive(Debug, Clone)]
pub enum BlobPlace {
    /// A folder, made if it is missing.
    Folder(PathBuf),
    /// A bucket of a server that speaks S3.
    S3 {
        /// Its address, such as `http://127.0.0.1:9000`.
        url: String,
        /// The bucket, which must be there.
        bucket: String,
        /// Who calls.
        credentials: Credentials,
    },
    /// The memory of this process, for a simulation.
    Memory(Memory),
}

impl fmt::Display for BlobPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::S3 { url, bucket, .. } => write!(f, "{url}/{bucket}"),
            Self::Memory(_) => f.write_str("memory"),
        }
    }
}

impl BlobPlace {
    pub(super) fn open(&self) -> Result<Arc<dyn ObjectStore>, BlobError> {
        match self {
            Self::Memory(memory) => Ok(memory.objects()),
            Self::Folder(path) => {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
                let folder = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                Ok(Arc::new(folder))
            }
            Self::S3 { url, bucket, credentials } => {
                let retry = RetryConfig {
                    max_retries: 3,
                    retry_timeout: Duration::from_secs(15),
                    ..RetryConfig::default()
                };
                let s3 = AmazonS3Builder::new()
                    .with_endpoint(url.trim_end_matches('/'))
                    .with_bucket_name(bucket)
                    .with_region(REGION)
                    .with_access_key_id(&credentials.id)
                    .with_secret_access_key(credentials.secret.as_str())
                    .with_allow_http(true)
                    .with_virtual_hosted_style_request(false)
                    .with_retry(retry)
                    .with_http_connector(PlainHttp);
                Ok(Arc::new(s3.build()?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn credentials_are_two_lines_that_nobody_else_reads() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s3");
        let table = [
            ("id\nhushed\n", 0o600, true),
            ("\n id \n\n hushed\n", 0o600, true),
            ("id\nhushed\n", 0o640, false),
            ("id\n", 0o600, false),
            ("", 0o600, false),
            ("id\nhushed\nmore\n", 0o600, false),
        ];
        for (text, mode, good) in table {
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode");
            let read = Credentials::read(&path);
            assert_eq!(read.is_ok(), good, "{text:?} {mode:o}");
            assert!(!format!("{read:?}").contains("hushed"), "{read:?}");
        }
        assert!(Credentials::read(&folder.path().join("none")).is_err());
    }
}
