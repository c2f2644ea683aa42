//! Screens by accessible label, headless: names, target sizes, overlaps, cut words, and what a tap asks for.
mod check;
mod contrast;
mod countdown;
mod form;
mod looking;
mod rows;
mod signature;
mod slip;
mod stage;
mod stations;
mod way_in;
