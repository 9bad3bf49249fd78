//! The command line of Leasehold.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use leasehold::{check, clear, demo, import, query, reconfigure, refresh, relay, release, serve, show};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// DHCPv6 in which a delegated prefix survives a reboot.
#[derive(Parser)]
#[command(version, about)]
struct CommandLine {
    /// How much to log to standard error: error, warn, info, debug or trace [default: info to
    /// serve and relay, otherwise warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<Level>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve clients, relays and leasequeries
    Serve(serve::Arguments),
    /// Relay clients' messages, keep routes for what is delegated, and recover them after a restart
    Relay(relay::Arguments),
    /// Ask DHCPv6 servers for their bindings
    Query(query::Arguments),
    /// Show what a running server or relay knows
    Show(show::Arguments),
    /// Release leases of a running server, as if their clients had done so
    Release(release::Arguments),
    /// Have a running server tell clients to renew
    Reconfigure(reconfigure::Arguments),
    /// Have a running relay forget delegations, with their routes
    Clear(clear::Arguments),
    /// Have a running relay ask its servers again for all that is delegated through it
    Refresh(refresh::Arguments),
    /// Say whether a configuration file is good, and if not, all that is wrong with it
    Check(check::Arguments),
    /// Fill a state folder with what another server knows, or with made-up clients
    Import(import::Arguments),
    /// Show a recovery on this host: no root, no configuration
    Demo(demo::Arguments),
}

impl Command {
    /// Programs that go on say what they do; the others only what goes wrong.
    fn usual_level(&self) -> Level {
        match self {
            Self::Serve(_) => Level::INFO,
            Self::Relay(arguments) if !arguments.is_rehearsal() => Level::INFO,
            _ => Level::WARN,
        }
    }
}

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    start_logging(line.log_level.unwrap_or(line.command.usual_level()));
    let result = match line.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Relay(arguments) => relay::run(arguments),
        Command::Query(arguments) => query::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Release(arguments) => release::run(arguments),
        Command::Reconfigure(arguments) => reconfigure::run(arguments),
        Command::Clear(arguments) => clear::run(arguments),
        Command::Refresh(arguments) => refresh::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("leasehold: {error:#}");
        ExitCode::FAILURE
    })
}

/// The storage engine tells much that only matters to those who look for a fault in it.
fn start_logging(level: Level) {
    let of_engine = if level > Level::INFO { level } else { Level::WARN.min(level) };
    let targets =
        Targets::new().with_default(level).with_targets([("fjall", of_engine), ("lsm_tree", of_engine)]);
    let to_stderr =
        tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(to_stderr.with_filter(targets)).init();
}
