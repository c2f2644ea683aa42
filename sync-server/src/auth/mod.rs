//! Who may do what, and how somebody shows who they are.
//!
//! | module | what it holds |
//! |---|---|
//! | [`role`], [`policy`] | 角色, and the one table of who may do what |
//! | [`names`], [`password`], [`token`] | what people type, what browsers keep |
//! | [`hashing`], [`lockout`] | what makes guessing slow |
//! | [`sign_in`] | signing in and changing a password: the steps in their order |
//!
//! Refuses to know HTTP and pages: the gate in front of each address is in `shell`.
pub mod hashing;
pub mod lockout;
pub mod names;
pub mod password;
pub mod policy;
pub mod role;
pub mod sign_in;
pub mod token;
