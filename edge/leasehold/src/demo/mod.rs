//! `leasehold demo`: loses everything, and gets it back.
//!
//! Clients, made up or out of Kea's files, are written to a store in a temporary folder. The store
//! is closed, opened again and served on an address of this host that nobody else can reach. Then a
//! requestor that knows nothing but the Relay-IDs of its relays asks for what they delegated
//! (`recovery.rs`), and what it is told is compared with what is held (`held.rs`).
//!
//! With `--namespaces` it is a relay that loses everything, with customers, routes and pings (`reboot`).
//!
//! Nothing here is made for the demonstration but the comparison: store, server and requestor are
//! the ones that every other command uses.

mod held;
mod reboot;
mod recovery;
mod report;
mod source;

use std::io::{self, Write};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use server::Holdings;
use server::leasequery::{Access, BulkLimits, Policy, Rule};
use wire::{Duid, Prefix};

use crate::import::{Format, Intake, progress_bar};
use crate::population::{MAX_CLIENTS, MAX_RELAYS};
use crate::serve::Plan;
use crate::{clock, serve, state};
use held::Held;
use report::Report;
use source::Source;

/// Clients if nothing is said.
const CLIENTS: u64 = 10_000;

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Reboot a relay instead, and ping its customers: in network namespaces, which need root or that everybody may
    /// make user namespaces
    #[arg(long, conflicts_with_all = ["relays", "import"])]
    namespaces: bool,
    /// How many clients to make up, each with an address and a delegated prefix; in namespaces with a prefix, and at
    /// most 500 [default: 10000; in namespaces 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_CLIENTS as u64))]
    clients: Option<u64>,
    /// Behind how many relays
    #[arg(long, value_name = "R", default_value_t = 4,
          value_parser = clap::value_parser!(u64).range(1..=MAX_RELAYS as u64))]
    relays: u64,
    /// Take Kea's leases instead: a lease file, a configuration, or both
    #[arg(long, value_name = "FILE", num_args = 1..=2, conflicts_with_all = ["clients", "relays"])]
    import: Vec<PathBuf>,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the demonstration. Exits with 1 unless everything came back.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { namespaces, clients, relays, import, format } = arguments;
    if namespaces {
        return reboot::run(clients.unwrap_or(reboot::CUSTOMERS), format);
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let source = if import.is_empty() {
        Source::made_up(clients.unwrap_or(CLIENTS) as usize, relays as usize)
    } else {
        Source::of_kea(&import, folder.path())?
    };
    let notes = source.notes.clone();
    let holdings = store_and_reopen(source, folder.path())?;
    let held = Held::of(&holdings.table, clock::unix_secs());
    let running = serve::start(Plan::leasequery(policy()?, holdings, vec![any_port()]))?;
    let server = *running.bulk_addresses().first().context("the server listens nowhere")?;

    let mut out = io::stdout().lock();
    match format {
        Format::Table => report::introduce(&held, server, &notes, &mut out)?,
        Format::Json => notes.iter().for_each(|note| eprintln!("{note}")),
    }
    let recovery = recovery::recover(server, &held)?;
    running.stop();
    let report = Report::new(&held, &recovery, clock::unix_secs(), notes);
    match format {
        Format::Table => report::conclude(&report, &recovery, &mut out)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
    }
    out.flush()?;
    Ok(if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a server finds that starts after the one that wrote it has gone.
fn store_and_reopen(source: Source, folder: &Path) -> anyhow::Result<Holdings> {
    let bar = progress_bar("storing", source.count, "{human_pos}/{human_len} clients");
    Intake::open(folder, clock::unix_secs())?.take(source.clients, &bar)?;
    bar.finish_and_clear();
    state::load(&state::open(folder)?, source.links)
}

fn policy() -> anyhow::Result<Policy> {
    let this_host = Prefix::new(Ipv6Addr::LOCALHOST, 128)?;
    Ok(Policy {
        server_id: duid_of_demo(1),
        access: Access::new(vec![Rule { from: this_host, queries: None }]),
        refuse_silently: false,
        sensitive_options: Default::default(),
        track_relays: true,
        relayed_hops: 0,
        bulk: BulkLimits::default(),
    })
}

/// A DUID-LL of an Ethernet address for documentation (RFC 7042).
fn duid_of_demo(number: u8) -> Duid {
    Duid::new(&[0, 3, 0, 1, 0x00, 0x00, 0x5e, 0x00, 0x53, number]).expect("ten octets are a DUID")
}

fn any_port() -> SocketAddrV6 {
    SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0)
}
