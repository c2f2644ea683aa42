//! Signed catalogue versions from the centre: looking for news, fetching, verifying, and putting into force.
//!
//! What is verified here is trusted because of signatures, never because of the link it came by or of this machine's
//! clock. Whatever fails, the catalogue that was in force goes on serving. Refuses to know screens and items.
mod bridge;
mod fetch;
mod staging;
mod tuf;
mod update;

use domain::envelope::Digest;

use super::transport::TransportError;
use crate::store::CatalogueTrust;

pub use staging::{StageError, Staging};
pub use tuf::{TufClient, root_keys};
pub use update::{UpdateError, Updated, update};

/// A catalogue version that the centre's metadata names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The version.
    pub version: u64,
    /// SHA-256 of the packed file.
    pub digest: Digest,
    /// Bytes of the packed file.
    pub length: u64,
}

/// Verified news of the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What to remember, so that nothing older is believed from now on.
    pub trust: CatalogueTrust,
    /// The catalogue versions that there are, the lowest first.
    pub offers: Vec<Offer>,
    /// When the centre signed this, milliseconds since 1970.
    pub confirmed_ms: i64,
}

/// No verified news.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The link, or somebody on it who is not the centre.
    #[error("the centre could not be asked: {0}")]
    Link(String),
    /// What came is not what the trusted keys sign, or is older than what is known.
    #[error("the metadata is refused: {0}")]
    Refused(String),
    /// It is past its end by the last time that the centre put its name to.
    #[error("the {0} metadata has expired: somebody may keep this terminal from news")]
    Expired(&'static str),
    /// The folder for the look cannot be used.
    #[error("the folder for verifying cannot be used")]
    Folder(#[source] std::io::Error),
}

impl LookError {
    /// Whether somebody should look; a link that is down is ordinary.
    pub fn is_alarm(&self) -> bool {
        !matches!(self, Self::Link(_))
    }
}

/// A version could not be fetched; what arrived stays staged, unless it was wrong.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The link broke; it goes on from where it was the next time.
    #[error("the link broke while a catalogue came")]
    Link(#[from] TransportError),
    /// Something else than the file was answered.
    #[error("the centre answered with status {0} instead of the catalogue")]
    Answer(u16),
    /// It ended before its end, again and again.
    #[error("the catalogue does not come to its end; it goes on the next time")]
    Unfinished,
    /// More came than the metadata says.
    #[error("more came than the catalogue has")]
    TooLong,
    /// It could not be staged, or is not what the metadata says.
    #[error(transparent)]
    Stage(#[from] StageError),
}

/// Where signed catalogues come from.
pub trait CatalogueClient: Send {
    /// Asks what there is and verifies it against what was trusted before. Changes nothing but what it returns.
    ///
    /// `authenticated_ms` is the last time that the centre put its name to: expiry is judged by it and by the centre's
    /// own metadata.
    ///
    /// # Errors
    /// [`LookError`]; what was trusted before is trusted still.
    fn look(&mut self, trust: &CatalogueTrust, authenticated_ms: Option<i64>)
    -> Result<Published, LookError>;

    /// Brings a version into the staging folder, whole and verified.
    ///
    /// # Errors
    /// [`FetchError`]
    fn fetch(&mut self, offer: &Offer, staging: &Staging) -> Result<(), FetchError>;
}
