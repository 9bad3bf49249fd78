//! Kea's lease files and configuration: links and clients out of them, as of one moment.
//!
//! ```text
//! configuration --json--> config --------------------------> links ---\
//!                             \--server_id--> the server's DUID        \
//! lease files --family--> csv --> leases --settle--> leases in force --clients--> Imported
//!                                   |- relays, fqdn, octets: what single fields mean
//! ```
//!
//! The invariant: whoever held an address or a prefix in Kea when the last line was written, and by the time
//! given still does, holds it in what comes out, exactly once; whatever else was in the files is in the
//! [`Summary`].
//!
//! Nothing here asks what time it is or writes anything.

use std::io;
use std::path::{Path, PathBuf};

use lease::{Client, Link, LinkId};
use thiserror::Error;
use wire::Duid;

use clients::Clock;
use leases::Strictness;
use links::Links;

mod clients;
mod csv;
mod family;
mod fqdn;
mod json;
mod links;
mod octets;
mod relays;
mod server_id;
mod settle;
mod summary;

pub mod config;
pub mod leases;

pub use config::ConfigError;
pub use relays::ContextError;
pub use server_id::ServerId;
pub use summary::{BadLine, MAX_LISTED, Summary};

/// What to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Kea's configuration.
    pub config: PathBuf,
    /// The lease file, if not the one that the configuration names. The files that a clean-up makes of it are
    /// found beside it.
    pub leases: Option<PathBuf>,
    /// What to do about bad lines.
    pub strictness: Strictness,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// What the time shall be in the files, in seconds since 1970, if something else: a lease that there is
    /// heard of an hour before it, is imported as one heard of an hour ago.
    pub file_now: Option<u64>,
}

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Octets of lease files read.
    pub octets: u64,
    /// Octets of lease files in all.
    pub total: u64,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The links: those configured, then those made for subnets that are not.
    pub links: Vec<Link>,
    /// The interface of the server that a link is connected to, where one is configured.
    pub interfaces: Vec<(LinkId, String)>,
    /// The clients that hold something, in the order of links and DUIDs.
    pub clients: Vec<Client>,
    /// The server's DUID, if it can be known.
    pub server_duid: Option<Duid>,
    /// What came of every line.
    pub summary: Summary,
}

/// Why nothing was imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no lease file of this name, nor one that a clean-up made from it.
    #[error("{}: no such lease file", .0.display())]
    NoLeaseFile(PathBuf),
    /// Neither the request nor the configuration says which lease file.
    #[error("{}: no `name` in `lease-database`: say which lease file", .0.display())]
    LeaseFileUnknown(PathBuf),
    /// A first line that is no header, or, where asked to be strict, a bad line.
    #[error("{}:{}: {}", .0.file, .0.line, .0.reason)]
    Line(BadLine),
    /// The file in which Kea keeps its DUID holds something else.
    #[error("{}: not a DUID as Kea writes it, as in 00:03:00:01:02:00:00:00:00:aa", .0.display())]
    ServerId(PathBuf),
    /// The configuration cannot be read or understood.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Reads a configuration and the leases granted under it.
pub fn import(request: &Request, progress: &mut dyn FnMut(Progress)) -> Result<Imported, ImportError> {
    let Request { config, leases, strictness, now, file_now } = request;
    let clock = Clock { now: *now, file_now: file_now.unwrap_or(*now) };
    let mut summary = Summary::default();
    let kea = config::read(config)?;
    for warning in &kea.warnings {
        summary.warn(|| warning.clone());
    }
    let name = leases.as_ref().or(kea.lease_file.as_ref());
    let name = name.ok_or_else(|| ImportError::LeaseFileUnknown(config.clone()))?;
    let server_duid = kea.server_id.resolve(name, kea.data_directory.as_deref())?;
    if server_duid.is_none() {
        summary.warn(|| "the server's DUID is not known: clients will have to rebind".to_owned());
    }

    let lines = leases::read(name, *strictness, &mut summary, progress)?.into_lines();
    let lines = settle::in_force(lines, clock.file_now, *strictness, &mut summary)?;
    let mut links = Links::new(&kea.networks);
    let clients = clients::group(lines, &mut links, clock, *strictness, &mut summary)?;
    let Links { links, interfaces, .. } = links;
    summary.links = links.len() as u64;
    Ok(Imported { links, interfaces, clients, server_duid, summary })
}

/// When the lease file was last written to: the latest moment at which a client was heard, in seconds since
/// 1970. Zero if there is no lease in it.
pub fn written_at(leases: &Path, progress: &mut dyn FnMut(Progress)) -> Result<u64, ImportError> {
    let leases = leases::read(leases, Strictness::LeaveOut, &mut Summary::default(), progress)?;
    Ok(leases.written_at)
}
