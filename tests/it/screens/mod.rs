//! Screens by accessible label, headless: names, target sizes, overlaps, cut words, and what a tap asks for.
mod bank_mark;
mod check;
mod contrast;
mod countdown;
mod form;
mod guide;
mod looking;
mod resume;
mod rows;
mod signature;
mod situation;
mod slip;
pub(crate) mod stage;
mod stations;
pub(crate) mod visits;
mod way_in;
