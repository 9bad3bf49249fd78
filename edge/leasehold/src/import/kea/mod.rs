//! `leasehold import kea`: the leases of a server that runs, ran, or is about to be replaced, and its
//! configuration. The store knows Kea's lease files; what its configuration says in our terms is known here
//! (see `translate`).

mod built;
mod definitions;
mod encode;
mod globals;
mod json;
mod keys;
mod links;
mod options;
mod parts;
mod ranges;
mod reservations;
mod scope;
mod server_id;
mod setting;
mod timing;
mod translate;
mod ways;

use std::path::{Path, PathBuf};

use anyhow::Context;
use lease::Client;
use store::import::kea::leases::Strictness;
use store::import::kea::{self, Links, Progress, Summary};

use super::moment::{Moment, rfc_3339};
use super::report::Report;
use super::{Format, Intake, progress_bar, settings};
use crate::clock;
use crate::config::Config;

pub use json::{ConfigError, Mark};
pub use scope::NotTranslated;
pub use server_id::ServerId;
pub use translate::{Translation, translate};

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Arguments {
    /// Kea's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The lease file [default: the one that the configuration names]
    #[arg(long, value_name = "FILE")]
    leases: Option<PathBuf>,
    /// The state folder, made if need be
    #[arg(long, value_name = "STATE")]
    into: PathBuf,
    /// Import nothing if a single line is bad
    #[arg(long)]
    strict: bool,
    /// Take the leases as if this were the time now: seconds since 1970, a time such as
    /// 2026-11-23T12:00:00Z, or `file` for when the lease file was last written
    #[arg(long, value_name = "TIME")]
    now: Option<Moment>,
    /// Say what would come of it, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What to import.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Kea's configuration.
    pub(crate) config: PathBuf,
    /// The lease file, if not the one that the configuration names.
    pub(crate) leases: Option<PathBuf>,
    /// What to do about bad lines.
    pub(crate) strictness: Strictness,
    /// The time, in seconds since 1970.
    pub(crate) now: u64,
    /// What the time shall be in the files, if something else.
    pub(crate) file_now: Option<u64>,
}

/// What was found.
pub(crate) struct Imported {
    /// Kea's configuration as ours, with links for subnets that it no longer has, and without a state folder.
    pub(crate) config: Config,
    /// The clients, in the order of links and DUIDs.
    pub(crate) clients: Vec<Client>,
    /// What came of every line.
    pub(crate) summary: Summary,
    /// What of the configuration is not translated.
    pub(crate) not_translated: Vec<NotTranslated>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<(Report, Format)> {
    let Arguments { config, leases, into, strict, now, dry_run, format } = arguments;
    let unix_secs = clock::unix_secs();
    let file_now = now.map(|moment| file_now(moment, config, leases.as_deref())).transpose()?;
    let imported = read(&Request {
        config: config.clone(),
        leases: leases.clone(),
        strictness: if *strict { Strictness::Stop } else { Strictness::LeaveOut },
        now: unix_secs,
        file_now,
    })?;
    let Imported { config, clients, summary, not_translated } = imported;
    let intake = if *dry_run { Intake::rehearse(into, unix_secs)? } else { Intake::open(into, unix_secs)? };
    let bar = progress_bar("writing", clients.len() as u64, "{human_pos}/{human_len} clients");
    let taken = intake.take(clients.into_iter(), &bar)?;
    bar.finish_and_clear();
    let settings = if *dry_run { None } else { Some(settings::write(into, config)?) };
    let report = Report::new(into, summary, taken, settings)
        .read_as_of(file_now.map(rfc_3339))
        .without(not_translated);
    Ok((report, *format))
}

/// Reads Kea's files, with a bar for the octets of leases.
pub(crate) fn read(request: &Request) -> anyhow::Result<Imported> {
    let Request { config: path, leases, strictness, now, file_now } = request;
    let Translation { mut config, subnets, server_id, lease_file, data_directory, not_translated, warnings } =
        translate(path)?;
    let leases = leases.clone().or(lease_file).with_context(|| lease_file_unknown(path))?;
    config.server_id = server_id.resolve(&leases, data_directory.as_deref())?;

    let mut links = Links::default();
    for (link, subnets) in config.links.drain(..).zip(subnets) {
        links.add(link, subnets);
    }
    let remember_secs = config.dhcp.rules.remember_secs;
    let request =
        kea::Request { leases, strictness: *strictness, now: *now, file_now: *file_now, remember_secs };
    let bar = progress_bar("reading", 0, "{bytes}/{total_bytes}");
    let imported = kea::import(&request, links, &mut |Progress { octets, total }| {
        bar.set_length(total);
        bar.set_position(octets);
    });
    bar.finish_and_clear();
    let kea::Imported { links, clients, mut summary } = imported?;
    for warning in warnings {
        summary.warn(|| warning);
    }
    if config.server_id.is_none() {
        summary.warn(|| "the server's DUID is not known: clients will have to rebind".to_owned());
    }
    for link in &links {
        config.dhcp.rules.links.entry(link.id).or_default();
    }
    config.links = links;
    Ok(Imported { config, clients, summary, not_translated })
}

/// When the lease file, or the one that the configuration names, was last written.
pub(crate) fn written_at(config: &Path, leases: Option<&Path>) -> anyhow::Result<u64> {
    let leases = match leases {
        Some(leases) => leases.to_owned(),
        None => translate(config)?.lease_file.with_context(|| lease_file_unknown(config))?,
    };
    Ok(kea::written_at(&leases, &mut |_| ())?)
}

fn lease_file_unknown(config: &Path) -> String {
    format!("{}: no `name` in `lease-database`: say which lease file with --leases", config.display())
}

fn file_now(moment: Moment, config: &Path, leases: Option<&Path>) -> anyhow::Result<u64> {
    match moment {
        Moment::UnixSecs(unix_secs) => Ok(unix_secs),
        Moment::FileWritten => written_at(config, leases),
    }
}
