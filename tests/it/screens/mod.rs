//! Screens by accessible label, headless: names, target sizes, overlaps, cut words, and what a tap asks for.
mod check;
mod contrast;
mod countdown;
mod form;
mod resume;
mod signature;
mod slip;
mod stage;
mod way_in;
