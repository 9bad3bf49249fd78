//! `sim`: runs seeds.

use std::process::ExitCode;

use clap::Parser;
use sim::plan::{Cut, Plan};
use sim::run::run;

/// Runs a world of servers, relays, requestors and clients from seeds, while everything around them fails.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them, or the only one with --trace
    #[arg(long)]
    seed: Option<u64>,
    /// Print everything that happens
    #[arg(long)]
    trace: bool,
    /// Make the plan of a seed smaller
    #[arg(long, value_name = "WHAT=HOW")]
    cut: Vec<Cut>,
}

fn main() -> ExitCode {
    let Arguments { seeds, seed, trace, cut } = Arguments::parse();
    let first = seed.unwrap_or(1);
    let count = if seed.is_some() { 1 } else { seeds };
    let mut failed = 0;
    for seed in first..first + count {
        let mut line = |text: &str| println!("{text}");
        let line: Option<&mut dyn FnMut(&str)> = if trace { Some(&mut line) } else { None };
        let outcome = run(Plan::drawn_with(seed, &cut), line);
        if let Some((at, violation)) = &outcome.violation {
            println!("seed {seed} after {:?}: {violation}", at.since(world::Instant::default()));
            failed += 1;
        }
        if count == 1 {
            println!("{outcome:?}");
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
