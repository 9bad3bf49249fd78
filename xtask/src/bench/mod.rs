//! How fast, and with how much: measured on this machine, over its loopback, with the programs as they are released.
//!
//! A bench starts real processes and talks to them over real sockets; the clock and `/proc` are the only instruments. What it
//! prints stands beside the bar that the project has set itself.

mod bulk;
mod datagrams;
mod exchange;
mod namespace;
mod process;
mod processors;
mod raw;
mod recover;
mod relay;
mod running;
mod search;
mod surroundings;

use std::fmt;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

/// What to measure.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// Bulk leasequery: how many bindings a second, and what a server with so many clients costs.
    Bulk(bulk::Arguments),
    /// Exchanges of new clients: how many a second, beside Kea and beside no server at all. Needs root.
    Exchange(exchange::Arguments),
    /// Answers exchanges from a template: the other end of the measurement without a server.
    #[command(hide = true)]
    ExchangeResponder(exchange::responder::Arguments),
    /// Forwarded messages: how many a second, beside Debian's relays and beside no relay at all. Needs root.
    Relay(relay::Arguments),
    /// Forwards datagrams as they are: the other end of the measurement without a relay.
    #[command(hide = true)]
    RelayForwarder,
    /// A relay that starts with no routes: how soon it has them back, beside the kernel's own limit. Needs root.
    Recover(recover::Arguments),
    /// Sends octets to an address: the other end of the measurement of a bare connection.
    #[command(hide = true)]
    RawSender(raw::Arguments),
}

/// How to print the figures.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people, with the bars
    Table,
    /// One object
    Json,
}

impl Format {
    /// Prints them.
    pub(crate) fn print(self, figures: &(impl fmt::Display + Serialize)) -> Result<()> {
        match self {
            Self::Table => print!("{figures}"),
            Self::Json => println!("{}", serde_json::to_string_pretty(figures)?),
        }
        Ok(())
    }
}

/// Measures, and prints the figures.
pub(crate) fn run(root: &Path, bench: &Bench) -> Result<()> {
    match bench {
        Bench::Bulk(arguments) => bulk::run(root, arguments),
        Bench::Exchange(arguments) => exchange::run(root, arguments),
        Bench::ExchangeResponder(arguments) => exchange::responder::run(arguments),
        Bench::Relay(arguments) => relay::run(root, arguments),
        Bench::RelayForwarder => relay::forwarder::run(),
        Bench::Recover(arguments) => recover::run(root, arguments),
        Bench::RawSender(arguments) => raw::send(arguments),
    }
}

/// The DUID of the one relay that `import synthetic --relays 1` makes up.
const SYNTHETIC_RELAY: [u8; 10] = [0, 3, 0, 1, 0x02, 0, 0, 0, 0, 1];

/// The same as `leasehold query` wants it.
fn synthetic_relay() -> String {
    SYNTHETIC_RELAY.map(|octet| format!("{octet:02x}")).join(":")
}
