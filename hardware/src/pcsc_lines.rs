//! The lines to a reader behind the service, and what each says of a card: module, card image, chip card.
use std::time::Duration;

use crate::card_reader::{CardData, ReadError};
use crate::chip_card::{self, NotRead};
use crate::module_read::{Bytes, Stopped};
use crate::pcsc_config::{PcscConfig, Route};
use crate::polled_reader::{OpenTransport, Opens};
use crate::transport::image::{self, ImageError};
use crate::transport::pass_through::PassThrough;
use crate::transport::pcsc::Service;
use crate::transport::{ApduChannel, TransportError};

/// The first settings that are for a reader.
pub(crate) fn config_of<'a>(configs: &'a [PcscConfig], name: &str) -> Option<&'a PcscConfig> {
    configs.iter().find(|config| config.is_for(name))
}

/// The line to a module, in whichever of the two ways.
pub(crate) fn open_module(
    service: &Service,
    name: &str,
    config: &PcscConfig,
) -> Result<OpenTransport, TransportError> {
    if config.route == Route::PassThrough {
        let card = service.open_card(name)?;
        let line = PassThrough::new(card, config.class, config.instruction);
        return Ok(Box::new(config.trace.over(name, line)));
    }
    let line = service.open_control(name, config.control_function, &config.control_prefix)?;
    Ok(Box::new(config.trace.over(name, line)))
}

/// Reads the card image that the reader gives.
pub(crate) fn read_image(card: &mut impl ApduChannel) -> Result<CardData, ReadError> {
    let image = image::read_image(card).map_err(|error| match error {
        ImageError::NoModule => ReadError::NoSecurityModule,
        ImageError::Transport(error) => error.into(),
        ImageError::Status(_) | ImageError::Length | ImageError::TooManyPieces => ReadError::LayAgain,
    })?;
    Bytes::of_image(image).decode().map(CardData::IdCard)
}

/// Reads a chip card; `none` is what it means that nothing here speaks ISO 7816.
pub(crate) fn read_chip(card: &mut impl ApduChannel, none: ReadError) -> Result<CardData, ReadError> {
    chip_card::read(card).map_err(|error| if error == NotRead::NoCard { none } else { not_read(error) })
}

/// What it means to a citizen that no chip card was read.
pub(crate) fn not_read(error: NotRead) -> ReadError {
    match error {
        NotRead::NoCard | NotRead::Unknown => ReadError::UnknownCard,
        NotRead::Failed(error) => error,
    }
}

/// What it means to a citizen that a module gave no card.
pub(crate) fn failed(stopped: Stopped) -> ReadError {
    match stopped {
        Stopped::NoCard => ReadError::LayAgain,
        Stopped::Failed(error) => error,
    }
}

/// The way to the module of a reader behind the service whose slot says nothing of cards, for a
/// [`crate::PolledReader`].
pub fn polled(config: PcscConfig) -> impl Opens {
    move || {
        let mut service = Service::open()?;
        let slots = service.wait(Duration::ZERO)?;
        let slot = slots.iter().find(|slot| config.is_for(&slot.name)).ok_or(TransportError::ReaderGone)?;
        open_module(&service, &slot.name, &config)
    }
}
