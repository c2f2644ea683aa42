//! Keeps the timestamp of the signed catalogues young: looks every few minutes, signs once a day.
//!
//! Without a key ceremony there is nothing to do. A failure is told in the log and tried again; terminals notice after
//! a week that nobody confirms their catalogue.
use std::path::{Path, PathBuf};
use std::time::Duration;

use publishing::online::OnlineKeys;
use publishing::repository::{Repository, RepositoryError};

use super::ticker::Ticker;
use crate::startup;

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// Starts the thread; it looks at once.
///
/// # Errors
/// The operating system's, if it cannot make a thread.
pub fn start(repository: Repository, keys: PathBuf) -> std::io::Result<Ticker> {
    Ticker::start("signatures", move |_| {
        match refresh(&repository, &keys, startup::now_ms()) {
            Ok(true) => tracing::info!("the timestamp of the signed catalogues is new"),
            Ok(false) => {}
            Err(e) => tracing::error!(
                error = &e as &dyn std::error::Error,
                "the signed catalogues could not be confirmed: see `sync-server catalogue keys status`"
            ),
        }
        LOOK_AGAIN
    })
}

/// Signs the timestamp anew if that is due; says whether it was.
///
/// # Errors
/// [`RepositoryError`] if the repository or a key cannot be used.
pub fn refresh(repository: &Repository, keys: &Path, now_ms: i64) -> Result<bool, RepositoryError> {
    let Some(root) = repository.root()? else { return Ok(false) };
    if !repository.is_due(now_ms)? {
        return Ok(false);
    }
    let online = OnlineKeys::find(keys, |role| root.key_ids(role))?;
    repository.refresh(&online, now_ms)?;
    Ok(true)
}
