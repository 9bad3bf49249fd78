//! `leasehold release`: has a running server release leases, as if their clients had done so.

use std::process::ExitCode;

use anyhow::bail;

use crate::control::{self, Filter, Place, Request};
use crate::show::{self, Format};

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = show::EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Which leases: at least one of these has to be said, and all that is said has to hold
    #[command(flatten)]
    filter: Filter,
    /// Only show what would be released
    #[arg(long)]
    dry_run: bool,
    /// How to print [default: table on a terminal, json otherwise]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs the command: prints what it has released, as it was before.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { place, filter, dry_run, format } = arguments;
    if filter.is_empty() {
        bail!("say which leases: --prefix, --address, --client, --relay-id, --remote-id or --link");
    }
    let request = if dry_run { Request::WouldRelease(filter) } else { Request::Release(filter) };
    show::print_clients(control::ask(&place.socket()?, &request), format)
}
