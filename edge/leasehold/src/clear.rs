//! `leasehold clear`: has a running relay forget delegations, with their routes. No server is told, and
//! no client: what is still a client's comes back with its next Renew, or with a refresh.

use std::process::ExitCode;

use anyhow::bail;

use crate::control::{self, Clearing, DelegationFilter, Place, Request};
use crate::show::{self, Format};

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    /// Delegations, with their routes: those for which all holds that is said, or --all
    #[command(after_help = show::EXIT_CODES)]
    Delegation(Delegation),
}

#[derive(Debug, Clone, clap::Args)]
struct Delegation {
    #[command(flatten)]
    place: Place,
    /// Which: at least one of these has to be said, or --all
    #[command(flatten)]
    filter: DelegationFilter,
    /// All delegations
    #[arg(long)]
    all: bool,
    /// Only show what would be cleared
    #[arg(long)]
    dry_run: bool,
    /// How to print [default: table on a terminal, json otherwise]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs the command: prints what it has cleared, as it was before.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let What::Delegation(Delegation { place, filter, all, dry_run, format }) = arguments.what;
    if filter.is_empty() != all {
        bail!(
            "say which delegations: --all, or some of --prefix, --address, --client, --interface, --server"
        );
    }
    let request = Request::Clear(Clearing { filter, all, dry_run });
    show::print_delegations(control::ask(&place.socket()?, &request), format)
}
