//! Stories, named by what the citizen gets.
mod card_reader;
mod card_tool;
mod catalogue;
mod console;
mod database;
mod intake;
mod kiosk;
mod other_cards;
mod screens;
mod store;
mod sync;
mod thread;
mod tidy;
mod wire;
