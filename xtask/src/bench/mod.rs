//! How fast, and with how much: measured on this machine, over its loopback, with the programs as they are released.
//!
//! A bench starts real processes and talks to them over real sockets; the clock and `/proc` are the only instruments. What it
//! prints stands beside the bar that the project has set itself.

mod bulk;
mod process;
mod raw;

use std::path::Path;

use anyhow::Result;

/// What to measure.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// Bulk leasequery: how many bindings a second, and what a server with so many clients costs.
    Bulk(bulk::Arguments),
    /// Sends octets to an address: the other end of the measurement of a bare connection.
    #[command(hide = true)]
    RawSender(raw::Arguments),
}

/// Measures, and prints the figures.
pub(crate) fn run(root: &Path, bench: &Bench) -> Result<()> {
    match bench {
        Bench::Bulk(arguments) => bulk::run(root, arguments),
        Bench::RawSender(arguments) => raw::send(arguments),
    }
}
