//! Threats to what a citizen takes along, by their numbers in `docs/threats.md`; and that table itself.
mod slips;
mod table;
