//! Names of people on pages of the console.
use crate::auth::names::AccountId;
use crate::services::accounts;
use crate::store::{StoreError, Tx};

/// The name by which others know somebody; the id if the account is not there.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn name_of(tx: &mut Tx<'_>, id: &AccountId) -> Result<String, StoreError> {
    Ok(accounts::by_id(tx, id)?.map_or_else(|| id.to_string(), |account| account.display))
}
