//! Kea's lease files: clients out of them, as of one moment. What Kea's configuration says is read elsewhere;
//! here it is only known which subnets are on which link.
//!
//! ```text
//! lease files --family--> csv --> leases --settle--> leases that count --clients--> Imported
//!                                   |- relays, fqdn, octets: what single fields mean
//!                                                    which subnet is on which link --links--/
//! ```
//!
//! The invariant: whoever held an address or a prefix in Kea when the last line was written, and by the time
//! given still does, holds it in what comes out, exactly once, and what was declined still rests; whatever
//! else was in the files is remembered of its client, or in the [`Summary`].
//!
//! Nothing here asks what time it is or writes anything.

use std::io;
use std::path::{Path, PathBuf};

use lease::{Client, Link};
use thiserror::Error;

use clients::Clock;
use leases::Strictness;

mod clients;
mod csv;
mod family;
mod fqdn;
mod links;
mod relays;
mod settle;
mod summary;

pub mod leases;
pub mod octets;

pub use links::Links;
pub use relays::ContextError;
pub use summary::{BadLine, MAX_LISTED, Summary};

/// What to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The lease file. The files that a clean-up makes of it are found beside it.
    pub leases: PathBuf,
    /// What to do about bad lines.
    pub strictness: Strictness,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// What the time shall be in the files, in seconds since 1970, if something else: a lease that there is
    /// heard of an hour before it, is imported as one heard of an hour ago.
    pub file_now: Option<u64>,
    /// Seconds that a lease is remembered after its end, for its client to have it again.
    pub remember_secs: u32,
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
    /// The clients that hold something, or of whom something is remembered, in the order of links and DUIDs.
    pub clients: Vec<Client>,
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
    /// A first line that is no header, or, where asked to be strict, a bad line.
    #[error("{}:{}: {}", .0.file, .0.line, .0.reason)]
    Line(BadLine),
}

/// Reads the leases granted on these links.
pub fn import(
    request: &Request,
    mut links: Links,
    progress: &mut dyn FnMut(Progress),
) -> Result<Imported, ImportError> {
    let Request { leases, strictness, now, file_now, remember_secs } = request;
    let clock = Clock { now: *now, file_now: file_now.unwrap_or(*now), remember_secs: *remember_secs };
    let mut summary = Summary::default();
    let lines = leases::read(leases, *strictness, &mut summary, progress)?.into_lines();
    let settled = settle::settle(lines, clock, *strictness, &mut summary)?;
    let clients = clients::group(settled, &mut links, clock, *strictness, &mut summary)?;
    let links = links.into_links();
    summary.links = links.len() as u64;
    Ok(Imported { links, clients, summary })
}

/// When the lease file was last written to: the latest moment at which a client was heard, in seconds since
/// 1970. Zero if there is no lease in it.
pub fn written_at(leases: &Path, progress: &mut dyn FnMut(Progress)) -> Result<u64, ImportError> {
    let leases = leases::read(leases, Strictness::LeaveOut, &mut Summary::default(), progress)?;
    Ok(leases.written_at)
}
