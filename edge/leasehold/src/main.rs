//! The command line of Leasehold.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use leasehold::{check, query, serve};
use tracing::Level;

/// DHCPv6 in which a delegated prefix survives a reboot.
#[derive(Parser)]
#[command(version, about)]
struct CommandLine {
    /// How much to log to standard error: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", default_value_t = Level::INFO)]
    log_level: Level,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve leasequeries over UDP and TCP
    Serve(serve::Arguments),
    /// Ask DHCPv6 servers for their bindings
    Query(query::Arguments),
    /// Say whether a configuration file is good, and if not, all that is wrong with it
    Check(check::Arguments),
}

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(line.log_level).init();
    let result = match line.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Query(arguments) => query::run(arguments),
        Command::Check(arguments) => check::run(arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("leasehold: {error:#}");
        ExitCode::FAILURE
    })
}
