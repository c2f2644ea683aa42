//! One whole read of an ID card through a security module, the same over every line: health, image, newest address,
//! number of the card's body, number of the module.
use zeroize::Zeroizing;

use crate::card_reader::{IdCard, ReadError};
use crate::id_card;
use crate::samv::Sw3;
use crate::samv_id::SamId;
use crate::security_module::{ModuleError, SecurityModule};
use crate::transport::{Transport, TransportError};

/// What came from a card; wiped when dropped.
pub(crate) struct Bytes {
    image: Zeroizing<Vec<u8>>,
    newest_address: Option<Zeroizing<Vec<u8>>>,
    body_number: Option<Zeroizing<Vec<u8>>>,
}

impl Bytes {
    /// An image and nothing else.
    #[cfg(feature = "devices")]
    pub(crate) fn of_image(image: Zeroizing<Vec<u8>>) -> Self {
        Self { image, newest_address: None, body_number: None }
    }

    /// The card in it.
    ///
    /// # Errors
    /// `Damaged` or `UnknownCard`.
    pub(crate) fn decode(&self) -> Result<IdCard, ReadError> {
        let mut card = id_card::decode(&self.image)?;
        let newest = self.newest_address.as_ref().and_then(|data| id_card::newest_address(data));
        if let Some(newest) = newest {
            card.move_to(newest);
        }
        if let Some(number) = &self.body_number {
            card.body_number = number.iter().map(|byte| format!("{byte:02X}")).collect();
        }
        Ok(card)
    }
}

/// What stopped a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The module sees no card: there is none, or one that it read already, or one of another kind.
    NoCard,
    /// Anything else.
    Failed(ReadError),
}

impl From<ModuleError> for Stopped {
    fn from(error: ModuleError) -> Self {
        match error {
            ModuleError::Status(Sw3::NoCard) => Self::NoCard,
            other => Self::Failed(other.into()),
        }
    }
}

/// Reads the card behind a module whose health has been asked already.
///
/// # Errors
/// [`Stopped`].
pub(crate) fn read<T: Transport>(module: &mut SecurityModule<T>) -> Result<Bytes, Stopped> {
    let image = module.read_image()?;
    // Nor does a read fail for want of an address or a number that most cards do not have; a card lifted now is told
    // so.
    let asked = module.newest_address();
    let cut_off = asked.is_err() && module.is_late();
    let newest_address = unless_lifted(asked)?;
    if cut_off {
        // It may have one: an old address is not given out for the newest.
        return Err(Stopped::Failed(ReadError::LayAgain));
    }
    let body_number = unless_lifted(module.body_number())?;
    Ok(Bytes { image, newest_address, body_number })
}

fn unless_lifted<D>(asked: Result<Option<D>, ModuleError>) -> Result<Option<D>, Stopped> {
    match asked {
        Err(ModuleError::Transport(TransportError::CardRemoved)) => Err(Stopped::Failed(ReadError::Removed)),
        other => Ok(other.unwrap_or(None)),
    }
}

/// The module's number; one that does not tell its number reads all the same, so it is asked last.
pub(crate) fn number<T: Transport>(module: &mut SecurityModule<T>) -> Option<SamId> {
    module.sam_id().ok()
}
