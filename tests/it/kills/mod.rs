//! Hard ends at the worst moments: kills, power cuts, full disks, no memory, cut links. Nothing that was promised is
//! lost, and nothing is there twice.
mod checker;
mod link_cuts;
mod pages;
mod points;
mod safety;
mod scarce;
mod storm;
mod wal_cut;
