//! Parts of the benches: figures and their statistics, a load of sealed envelopes, programs and what they use of
//! the machine, a virtual screen with eyes and a finger.
//!
//! Every figure stands beside a floor that ran in the same call, in turns, because only ratios carry over from one
//! machine to another. Refuses to judge: targets stand in `docs/performance.md` and in `cargo xtask bench`.
pub mod archive;
pub mod centre;
pub mod client;
pub mod enlarged;
pub mod form_frame;
pub mod largest_form;
pub mod process;
pub mod row;
pub mod screen;
pub mod stats;
pub mod usage;
