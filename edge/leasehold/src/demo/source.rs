//! Where the clients of the demonstration come from.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lease::{Client, LeaseState, Link};
use store::import::kea::leases::Strictness;

use crate::clock;
use crate::import::kea::{Imported, Request, read, written_at};
use crate::import::{grouped, rfc_3339};
use crate::population::populate;

/// What decides about everything that is random: always the same, so that two runs can be compared.
const SEED: u64 = 1;
/// Octets of a first line that are looked at: a header is a few hundred.
const FIRST_LINE_OCTETS: u64 = 4096;

/// Clients, and the links they are on.
pub(super) struct Source {
    pub(super) links: Vec<Link>,
    pub(super) clients: Box<dyn Iterator<Item = Client>>,
    pub(super) count: u64,
    /// What has to be known about them.
    pub(super) notes: Vec<String>,
}

impl Source {
    pub(super) fn made_up(clients: usize, relays: usize) -> Self {
        let (links, population) = populate(clients, relays, clock::unix_secs(), SEED);
        Self { links, clients: Box::new(population), count: clients as u64, notes: Vec::new() }
    }

    /// Out of Kea's files; `folder` is for a file of our own.
    pub(super) fn of_kea(files: &[PathBuf], folder: &Path) -> anyhow::Result<Self> {
        let mut request = request(files, folder)?;
        let mut notes = Vec::new();
        let mut imported = read(&request)?;
        if imported.summary.active == 0 && imported.summary.expired > 0 {
            let written = written_at(&request.config, request.leases.as_deref())?;
            notes.push(format!(
                "NOTE: every lease in this file has expired. They are taken as of {}, the moment the file \
                 was last written, as if that were now.",
                rfc_3339(written)
            ));
            request.file_now = Some(written);
            imported = read(&request)?;
        }
        let Imported { config, mut clients, summary, .. } = imported;
        clients.retain_mut(hold_something);
        if clients.is_empty() {
            bail!("no lease is active in these files");
        }
        if summary.bad_lines > 0 {
            let lines = grouped(summary.bad_lines);
            notes.push(format!("NOTE: {lines} bad lines are left out; `leasehold import kea` lists them."));
        }
        Ok(Self {
            links: config.links,
            count: clients.len() as u64,
            clients: Box::new(clients.into_iter()),
            notes,
        })
    }
}

/// Leaves a client what it holds, not what is only remembered of it; whether that is anything.
fn hold_something(client: &mut Client) -> bool {
    for binding in &mut client.bindings {
        binding.leases.retain(|lease| lease.state == LeaseState::Active);
    }
    client.bindings.retain(|binding| !binding.leases.is_empty());
    !client.bindings.is_empty()
}

/// Which of the files is what.
fn request(files: &[PathBuf], folder: &Path) -> anyhow::Result<Request> {
    let (mut config, mut leases) = (None, None);
    for file in files {
        let (what, slot) =
            if is_lease_file(file)? { ("lease files", &mut leases) } else { ("configurations", &mut config) };
        if slot.replace(file.clone()).is_some() {
            bail!("two {what}: give one, and what belongs to it");
        }
    }
    let config = match config {
        Some(config) => config,
        None => empty_config(folder)?,
    };
    Ok(Request { config, leases, strictness: Strictness::LeaveOut, now: clock::unix_secs(), file_now: None })
}

/// A lease file begins with the names of its columns.
fn is_lease_file(file: &Path) -> anyhow::Result<bool> {
    let cannot_read = || format!("cannot read {}", file.display());
    let opened = File::open(file).with_context(cannot_read)?;
    let mut line = Vec::new();
    let mut reader = BufReader::new(opened.take(FIRST_LINE_OCTETS));
    reader.read_until(b'\n', &mut line).with_context(cannot_read)?;
    let has_column =
        |name: &str| line.trim_ascii().split(|octet| *octet == b',').any(|s| s == name.as_bytes());
    Ok(has_column("address") && has_column("duid"))
}

/// A lease file alone says which subnet a lease is of, but not what that subnet is.
fn empty_config(folder: &Path) -> anyhow::Result<PathBuf> {
    let config = folder.join("no-subnets.conf");
    std::fs::write(&config, r#"{ "Dhcp6": {} }"#).context("cannot write to the temporary folder")?;
    Ok(config)
}
