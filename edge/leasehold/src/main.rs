//! The command line of Leasehold.

use std::process::ExitCode;

use clap::Parser;

/// DHCPv6 in which a delegated prefix survives a reboot.
#[derive(Parser)]
#[command(version, about)]
enum Command {
    /// Ask DHCPv6 servers for their bindings
    Query(leasehold::query::Arguments),
}

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let result = match command {
        Command::Query(arguments) => leasehold::query::run(arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("leasehold: {error:#}");
        ExitCode::FAILURE
    })
}
