//! Stories, named by what the citizen gets.
mod card_reader;
mod catalogue;
mod console;
mod intake;
mod store;
mod sync;
mod wire;
mod thread;
