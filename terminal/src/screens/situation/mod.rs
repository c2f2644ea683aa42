//! Between guide and card: one situation question a page, the end that an answer means, and what the answers ask for.
//!
//! Refuses to know what an answer means: `domain::situation` does.
pub mod ended;
pub mod needs;
pub mod question;
