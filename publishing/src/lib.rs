//! Signed catalogue versions (事项目录的签名发布): the repository on disk, and the keys that speak for it.
//!
//! The form is The Update Framework, TUF 1.0, read and verified by `tough`; this crate makes what `tough` reads.
//!
//! | role | key | says |
//! |---|---|---|
//! | root | 2 of 3, offline | which keys count for which role |
//! | targets | 1, offline | which catalogue versions there are |
//! | snapshot | 1, online | which targets metadata is in force |
//! | timestamp | 1, online | that all this was so a moment ago |
//!
//! | module | what it holds |
//! |---|---|
//! | [`key`], [`key_file`] | a role's key, and its PKCS#8 file: plain for the online keys, under a passphrase for the others |
//! | [`root`] | first root, changes of keys, signatures one by one until there are enough |
//! | [`bundle`] | what the holder of the targets key signs, away from the server |
//! | [`online`] | the two keys that the server holds |
//! | [`repository`], [`view`] | the folder that the server serves: installing, publishing, refreshing |
//! | [`files`] | files that are there whole or not at all |
//! | [`status`] | how it stands, for people |
//!
//! Refuses clocks and networks: the time is passed in, and files are carried by people or served by the server.
pub mod bundle;
pub mod files;
pub mod key;
pub mod key_file;
mod metadata;
pub mod online;
pub mod repository;
pub mod root;
pub mod status;
pub mod view;

pub use metadata::MetadataError;
