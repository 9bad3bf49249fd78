//! `leasehold import synthetic`: as many clients as wanted.

use std::path::PathBuf;

use store::import::kea::Summary;

use super::report::Report;
use super::{Format, Intake, progress_bar, settings};
use crate::clock;
use crate::population::{MAX_CLIENTS, MAX_RELAYS, populate_behind};

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Arguments {
    /// How many clients, each with an address and a delegated prefix
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_CLIENTS as u64))]
    clients: u64,
    /// Behind how many relays, each with a link of its own
    #[arg(long, value_name = "R", default_value_t = 4,
          value_parser = clap::value_parser!(u64).range(1..=MAX_RELAYS as u64))]
    relays: u64,
    /// Interface-IDs of each relay, behind which its clients are in turn; by default each has one of its own
    #[arg(long, value_name = "ID,ID", value_delimiter = ',',
          value_parser = clap::builder::NonEmptyStringValueParser::new())]
    interface_ids: Vec<String>,
    /// The state folder, made if need be
    #[arg(long, value_name = "STATE")]
    into: PathBuf,
    /// What decides about everything that is random
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<(Report, Format)> {
    let Arguments { clients, relays, interface_ids, into, seed, format } = arguments;
    let now = clock::unix_secs();
    let (links, population) =
        populate_behind(interface_ids.clone(), *clients as usize, *relays as usize, now, *seed);
    let bar = progress_bar("writing", *clients, "{human_pos}/{human_len} clients");
    let taken = Intake::open(into, now)?.take(population, &bar)?;
    bar.finish_and_clear();
    let summary =
        Summary { clients: *clients, active: 2 * clients, links: links.len() as u64, ..Summary::default() };
    let settings = settings::write(into, settings::of_links(links))?;
    Ok((Report::new(into, summary, taken, Some(settings)), *format))
}
