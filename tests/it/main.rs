//! Stories, named by what the citizen gets.
mod card_reader;
mod catalogue;
mod console;
mod database;
mod intake;
mod kills;
mod kiosk;
mod screens;
mod store;
mod sync;
mod thread;
mod tidy;
mod wire;
