//! `leasehold check`: whether a configuration file is good, and if not, all that is wrong with it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use crate::config::{Config, Fault, Faults};

/// Check a configuration file and report everything that is wrong with it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configuration file.
    file: PathBuf,
    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each fault.
    Text,
    /// One JSON object.
    Json,
}

/// Reads the file and prints what it finds; exits with 1 if the file has a fault.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { file, format } = arguments;
    let result = Config::read(&file);
    match format {
        Format::Text => print!("{}", text(&file, &result)),
        Format::Json => println!("{}", serde_json::to_string_pretty(&Report::new(&file, &result))?),
    }
    Ok(if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(file: &Path, result: &Result<Config, Faults>) -> String {
    match result {
        Err(faults) => format!("{faults}\n"),
        Ok(config) => {
            let warnings = config.warnings.iter().map(|warning| format!("warning: {warning}\n"));
            let mut text: String = warnings.collect();
            text += &format!("{}: good: {}\n", file.display(), summary(config));
            text
        }
    }
}

fn summary(config: &Config) -> String {
    let counts = Counts::new(config);
    let Counts { links, address_pools, delegation_pools, reservations, allow_rules, relay } = counts;
    let of_server = [
        counted(links, "link"),
        counted(address_pools, "address pool"),
        counted(delegation_pools, "delegation pool"),
        counted(reservations, "reservation"),
        counted(allow_rules, "allow rule"),
    ];
    let Some(RelayCounts { servers, interface_sections, aggregates }) = relay else {
        return of_server.join(", ");
    };
    let of_relay = [
        counted(servers, "relay server"),
        counted(interface_sections, "interface section"),
        counted(aggregates, "aggregate"),
    ];
    if config.links.is_empty() {
        of_relay.join(", ")
    } else {
        [of_server.join(", "), of_relay.join(", ")].join(", ")
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What is in a good file.
#[derive(Debug, Serialize)]
struct Counts {
    links: usize,
    address_pools: usize,
    delegation_pools: usize,
    reservations: usize,
    allow_rules: usize,
    relay: Option<RelayCounts>,
}

/// What is in `[relay]`.
#[derive(Debug, Serialize)]
struct RelayCounts {
    servers: usize,
    interface_sections: usize,
    aggregates: usize,
}

impl Counts {
    fn new(config: &Config) -> Self {
        Self {
            links: config.links.len(),
            address_pools: config.links.iter().map(|link| link.address_pools.len()).sum(),
            delegation_pools: config.links.iter().map(|link| link.delegation_pools.len()).sum(),
            reservations: config.dhcp.reservations.len(),
            allow_rules: config.leasequery.allow.len(),
            relay: config.relay.as_ref().map(|relay| RelayCounts {
                servers: relay.servers.len(),
                interface_sections: relay.interfaces.len(),
                aggregates: relay.routes.as_ref().map_or(0, |routes| routes.aggregates.len()),
            }),
        }
    }
}

/// The JSON object.
#[derive(Debug, Serialize)]
struct Report<'a> {
    file: &'a Path,
    good: bool,
    counts: Option<Counts>,
    faults: &'a [Fault],
    warnings: &'a [Fault],
}

impl<'a> Report<'a> {
    fn new(file: &'a Path, result: &'a Result<Config, Faults>) -> Self {
        let (faults, warnings) = match result {
            Ok(config) => (&[][..], config.warnings.as_slice()),
            Err(faults) => (faults.0.as_slice(), &[][..]),
        };
        let counts = result.as_ref().ok().map(Counts::new);
        Self { file, good: result.is_ok(), counts, faults, warnings }
    }
}
