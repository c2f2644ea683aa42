//! Stories, named by what the citizen gets.
mod card_reader;
mod catalogue;
mod console;
mod database;
mod images;
mod intake;
mod kills;
mod kiosk;
mod operator;
mod screens;
mod store;
mod sync;
mod thread;
mod tidy;
mod wire;
