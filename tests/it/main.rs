//! Stories, named by what the citizen gets.
mod api;
mod card_reader;
mod catalogue;
mod console;
mod intake;
mod kiosk;
mod screens;
mod store;
mod sync;
mod thread;
mod tidy;
mod wire;
