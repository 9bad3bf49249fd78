//! A world in one thread: servers, relays, requestors and clients in virtual time, from one seed, through the
//! very functions that production calls, while network, streams, stores, clocks and processes fail.
//!
//! | folder | one thought |
//! | --- | --- |
//! | [`plan`] | what a seed draws: who is there, with which limits, and what goes wrong how often |
//! | [`universe`] | time, the order of events, and what lies between nodes: segments and streams |
//! | [`nodes`] | who is there: the pure crates, and around each what its program does with them |
//! | [`faults`] | what goes wrong, a file for each part of the world |
//! | [`properties`] | what has to hold all the same, a file for each |
//! | [`run`] | one seed: a phase with faults, then one without in which everything must come right |
//! | [`vocabulary`] | which messages and statuses were said in a run, and by whom |
//! | [`transcript`] | one page of who says what, written by hand, instead of a seed |
//! | [`campaign`] | many seeds: what they find, made small, and what they met |
//!
//! Everything that happens follows from the seed: there is no clock, no thread and no chance but those in
//! `world`, and every collection that is walked has an order.

pub mod campaign;
pub mod faults;
pub mod nodes;
pub mod plan;
pub mod properties;
pub mod reading;
pub mod run;
pub mod transcript;
pub mod universe;
pub mod vocabulary;
