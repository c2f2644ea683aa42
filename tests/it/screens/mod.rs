//! Screens by accessible label, headless: names, target sizes, overlaps, cut words, and what a tap asks for.
mod bank_mark;
mod check;
mod contrast;
mod countdown;
mod form;
mod signature;
mod slip;
mod stage;
mod way_in;
