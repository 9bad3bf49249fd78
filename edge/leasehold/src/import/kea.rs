//! `leasehold import kea`: the leases of a server that runs, ran, or is about to be replaced.

use std::path::{Path, PathBuf};

use anyhow::Context;
use store::import::kea::leases::Strictness;
use store::import::kea::{self, Imported, Progress, Request};

use super::moment::{Moment, rfc_3339};
use super::report::Report;
use super::{Format, Intake, progress_bar, settings};
use crate::clock;

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
    let Imported { links, clients, server_duid, summary, .. } = imported;
    let intake = if *dry_run { Intake::rehearse(into, unix_secs)? } else { Intake::open(into, unix_secs)? };
    let bar = progress_bar("writing", clients.len() as u64, "{human_pos}/{human_len} clients");
    let taken = intake.take(clients.into_iter(), &bar)?;
    bar.finish_and_clear();
    let settings = if *dry_run { None } else { Some(settings::write(into, server_duid.as_ref(), &links)?) };
    Ok((Report::new(into, summary, taken, settings).read_as_of(file_now.map(rfc_3339)), *format))
}

/// Reads Kea's files, with a bar for their octets.
pub(crate) fn read(request: &Request) -> anyhow::Result<Imported> {
    let bar = progress_bar("reading", 0, "{bytes}/{total_bytes}");
    let imported = kea::import(request, &mut |Progress { octets, total }| {
        bar.set_length(total);
        bar.set_position(octets);
    });
    bar.finish_and_clear();
    Ok(imported?)
}

/// When the lease file, or the one that the configuration names, was last written.
pub(crate) fn written_at(config: &Path, leases: Option<&Path>) -> anyhow::Result<u64> {
    let leases = match leases {
        Some(leases) => leases.to_owned(),
        None => kea::config::read(config)?
            .lease_file
            .with_context(|| format!("{} names no lease file: use --leases", config.display()))?,
    };
    Ok(kea::written_at(&leases, &mut |_| ())?)
}

fn file_now(moment: Moment, config: &Path, leases: Option<&Path>) -> anyhow::Result<u64> {
    match moment {
        Moment::UnixSecs(unix_secs) => Ok(unix_secs),
        Moment::FileWritten => written_at(config, leases),
    }
}
