//! Stories, named by what the citizen gets.
mod api;
mod card_reader;
mod catalogue;
mod console;
mod database;
mod images;
mod intake;
mod kiosk;
mod operator;
mod screens;
mod store;
mod sync;
mod thread;
mod tidy;
mod wire;
