//! The sync server (中心): takes what terminals send, keeps the cases, shows them to people.
//!
//! | module | what it holds |
//! |---|---|
//! | [`routes`] | every address on one page, each on one of the two listeners |
//! | [`api`], [`pages`] | JSON for terminals, HTML for people; thin, asynchronous |
//! | [`auth`] | roles, passwords, sessions, and the one table of who may do what |
//! | [`openapi`] | the description of the API, made from routes, wire types and problem codes |
//! | [`centre`] | the whole server as plain blocking functions on wire types: what a simulator drives |
//! | [`services`] | use cases on a transaction, time passed in |
//! | [`carriers`] | who carries parcels: orders, signed call-backs, a simulator |
//! | [`sources`] | data sources of other departments, real and simulated |
//! | [`gateway`] | the payment gateway: orders, refunds, call-backs that are signed |
//! | [`jobs`] | what is done after the COMMIT: opening submissions |
//! | [`store`] | one SQL over a small driver, one writer, a few readers, migrations |
//! | [`keys`], [`sealing_ring`], [`sealing_command`], [`authority`] | private keys; those to which terminals seal; the authority that certifies terminals |
//! | [`data_folder`], [`startup`] | where store and keys lie, opening both |
//! | [`admission`] | how many calls of terminals are let in, the least urgent shed first |
//! | [`readings`] | pinyin of the names in a catalogue's files |
//! | [`doctor`], [`move_store`], [`move_command`], [`account_command`] | checking a centre, bringing its store to another database, accounts |
//! | [`backup`], [`backup_command`], [`erasure_journal`] | backups and restoring them, what was erased for good |
//! | `rules_command` | rule sets of automatic approval on the command line |
//! | [`catalogue_tool`] | catalogues on the command line: check, difference, document, CSV; working days |
//! | [`publish_cli`] | commands of the key ceremony and of publishing |
//! | [`blobs`], [`uploads`], [`attachments_command`] | sealed pages and photos: whole ones in an object store, those on their way in files |
//! | [`csv_file`] | tables for spreadsheets |
//! | [`config`], [`metrics`] | settings with their forms, figures for Prometheus |
//! | [`partners`], `loopback` | other regions with their keys, and how they are asked |
//! | [`bank_mark`] | the bank's picture in the heads of people's pages |
//! | [`shell`] | listeners, limits, errors on the wire, start and stop |
pub mod account_command;
pub mod admission;
mod answer;
pub mod api;
pub mod attachments_command;
pub mod auth;
pub mod authority;
pub mod backup;
pub mod backup_command;
pub mod bank_mark;
pub mod blobs;
pub mod carriers;
pub mod catalogue_tool;
pub mod centre;
pub mod cli;
pub mod config;
pub mod csv_file;
pub mod data_folder;
pub mod doctor;
pub mod erasure_journal;
pub mod error;
mod exit;
pub mod gateway;
pub mod jobs;
pub mod keys;
mod loopback;
pub mod metrics;
pub mod moments;
pub mod move_command;
pub mod move_store;
pub mod openapi;
pub mod pages;
pub mod partners;
mod passphrases;
pub mod publish_cli;
pub mod readings;
mod reconcile_command;
pub mod refold_command;
pub mod routes;
mod rules_command;
pub mod sample_data;
pub mod sealing_command;
pub mod sealing_ring;
mod secret_file;
pub mod services;
pub mod shell;
pub mod sms;
pub mod sources;
pub mod startup;
pub mod store;
pub mod typefaces;
pub mod uploads;
mod verify_command;
mod whole_tables;
pub mod words;
mod xlsx_file;
