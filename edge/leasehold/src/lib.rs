//! DHCPv6 in which a delegated prefix survives a reboot.

pub mod check;
pub mod clear;
pub mod clock;
pub mod config;
pub mod control;
pub mod demo;
pub mod import;
pub mod kernel;
pub mod net;
mod notify;
pub mod population;
pub mod query;
pub mod reconfigure;
pub mod refresh;
pub mod relay;
pub mod relays;
pub mod release;
pub mod serve;
pub mod show;
mod signals;
pub mod state;
mod stopping;
mod threads;
