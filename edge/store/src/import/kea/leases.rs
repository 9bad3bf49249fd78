//! Lease files: from lines to the leases that stood when the last line was written.
//!
//! A lease file is a log. Each line tells all about one lease; a later line about the same address or prefix
//! replaces an earlier one, and one with a valid lifetime of zero deletes it. Kea knows a lease by its
//! address alone, whatever its type and prefix length, so [`Leases`] does too: two delegated prefixes that
//! begin at the same address cannot both stand.
//!
//! A line that cannot be read is counted, reported with its place, and left out; the others do not suffer.
//! Relays or a name that cannot be read cost the lease nothing but themselves.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::Ipv6Addr;
use std::path::Path;
use std::sync::Arc;

use thiserror::Error;
use wire::{Duid, INFINITE, Iaid, Prefix};

use super::csv::{Column, HeaderError, Layout, Line, Lines, Row, RowError, unescape};
use super::relays::{ContextError, relay_forwards};
use super::summary::{BadLine, Summary};
use super::{ImportError, Progress, family, fqdn, octets};

/// Octets between two reports of progress: some hundred reports a second.
const PROGRESS_OCTETS: u64 = 1 << 20;
/// Octets read from a file at a time.
const READ_OCTETS: usize = 1 << 18;

/// What a lease is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeaseType {
    /// An address (IA_NA).
    Address,
    /// A temporary address (IA_TA).
    Temporary,
    /// A delegated prefix (IA_PD).
    Prefix,
}

/// What Kea says of a lease, apart from time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseState {
    /// Assigned, and in force until it expires.
    Assigned,
    /// Found in use by somebody else.
    Declined,
    /// Expired, and dealt with by Kea.
    Reclaimed,
    /// Given back, and remembered so that the client may have it again.
    Released,
    /// Chosen by the client itself (RFC 9686).
    Registered,
}

/// The relays of a lease as octets (see `relays`), or why they cannot be had. Shared, for a client's leases
/// mostly have the same.
pub type Relays = Result<Option<Arc<[u8]>>, ContextError>;

/// Where something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, counted from 0 in the order of reading.
    pub file: u32,
    /// The line, counted from 1.
    pub line: u64,
}

/// A lease, as one line tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseLine {
    /// The address, with 128 bits, or the delegated prefix.
    pub resource: Prefix,
    /// What it is of.
    pub lease_type: LeaseType,
    /// What Kea says of it.
    pub state: LeaseState,
    /// Whose it is. `None` only if declined: then it is nobody's.
    pub duid: Option<Duid>,
    /// The client's number for the identity association.
    pub iaid: Iaid,
    /// Kea's number for the subnet.
    pub subnet: u32,
    /// Preferred lifetime in seconds, counted from `heard_at`.
    pub preferred_secs: u32,
    /// Valid lifetime in seconds, counted from `heard_at`.
    pub valid_secs: u32,
    /// When the client was last heard about it, in seconds since 1970.
    pub heard_at: u64,
    /// The relays it was heard through.
    pub relays: Relays,
    /// The client's name, as the value of OPTION_CLIENT_FQDN.
    pub fqdn: Option<Box<[u8]>>,
    /// Where this was read.
    pub place: Place,
}

impl LeaseLine {
    /// When its valid lifetime ends, in seconds since 1970; `None` for never.
    pub fn expires_at(&self) -> Option<u64> {
        (self.valid_secs != INFINITE).then(|| self.heard_at + u64::from(self.valid_secs))
    }

    /// When it ended, as far as is known, in seconds since 1970: of one that was given back, Kea only keeps
    /// when its client was heard last before.
    pub(super) fn ended_at(&self) -> u64 {
        self.expires_at().unwrap_or(self.heard_at)
    }

    /// Reports that it cannot be used after all.
    pub(super) fn leave_out(
        &self,
        reason: impl FnOnce() -> String,
        strictness: Strictness,
        summary: &mut Summary,
    ) -> Result<(), ImportError> {
        let Place { file, line } = self.place;
        let file = summary.file(file).to_owned();
        let bad = || BadLine { file, line, reason: reason() };
        if strictness == Strictness::Stop {
            return Err(ImportError::Line(bad()));
        }
        summary.bad_line(bad);
        Ok(())
    }
}

/// Why a line is not a lease.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// Not a row of this file.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Not an IPv6 address.
    #[error("`address` is not an IPv6 address")]
    Address,
    /// Not colon-separated hexadecimal, or of a length that no DUID has.
    #[error("`duid` is not a DUID of 3 to 130 octets")]
    Duid,
    /// Kea's mark for "nobody", where there must be somebody.
    #[error("`duid` is empty, and the lease is not declined")]
    NoDuid,
    /// Not a number, or too large a one.
    #[error("`{0}` is not a number, or is too large")]
    Number(&'static str),
    /// Neither 0 nor 1.
    #[error("`{0}` is neither 0 nor 1")]
    Flag(&'static str),
    /// A type that DHCPv6 does not have.
    #[error("`lease_type` {0} is none of 0 (IA_NA), 1 (IA_TA), 2 (IA_PD)")]
    LeaseType(u32),
    /// A state that no known Kea has.
    #[error("`state` {0} is none of 0 (default), 1 (declined), 2 (expired), 3 (released), 4 (registered)")]
    State(u32),
    /// An address that is not whole, or a prefix of no bits or too many.
    #[error("`prefix_len` {0} does not go with the lease type")]
    PrefixLength(u32),
    /// Bits set behind the prefix.
    #[error("`address` has bits set behind `prefix_len` {0}")]
    HostBits(u32),
    /// A beginning before 1970, or after 2106, where Kea's clock ends.
    #[error("`expire` less `valid_lifetime` is no moment between 1970 and 2106")]
    Expire,
}

/// How lines are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Bad lines are reported and left out.
    LeaveOut,
    /// The first bad line ends the reading.
    Stop,
}

/// The leases that stand, each with the line that told of it last.
#[derive(Debug, Default)]
pub struct Leases {
    lines: Vec<LeaseLine>,
    /// Where in `lines` the lease is that begins at an address.
    by_address: HashMap<Ipv6Addr, usize>,
    /// When the latest line was written, in seconds since 1970: the latest moment at which a client was
    /// heard. Zero if there was no line.
    pub written_at: u64,
}

impl Leases {
    /// The leases, in no order.
    pub fn into_lines(self) -> Vec<LeaseLine> {
        self.lines
    }

    /// The lease that begins at an address.
    pub fn get(&self, address: Ipv6Addr) -> Option<&LeaseLine> {
        self.by_address.get(&address).map(|&index| &self.lines[index])
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn apply(&mut self, line: LeaseLine, summary: &mut Summary) {
        self.written_at = self.written_at.max(line.heard_at);
        // A lease that was released and is remembered has no lifetime left and is no deletion all the same.
        let deletes = line.valid_secs == 0 && line.state != LeaseState::Released;
        let replaced = if deletes { self.remove(line.resource.address()) } else { self.insert(line) };
        summary.deletions += u64::from(deletes);
        summary.superseded += u64::from(replaced);
    }

    /// Puts a lease in; whether it replaced one.
    fn insert(&mut self, line: LeaseLine) -> bool {
        match self.by_address.entry(line.resource.address()) {
            Entry::Occupied(entry) => {
                self.lines[*entry.get()] = line;
                true
            }
            Entry::Vacant(entry) => {
                entry.insert(self.lines.len());
                self.lines.push(line);
                false
            }
        }
    }

    /// Takes a lease out; whether there was one.
    fn remove(&mut self, address: Ipv6Addr) -> bool {
        let Some(index) = self.by_address.remove(&address) else { return false };
        self.lines.swap_remove(index);
        if let Some(moved) = self.lines.get(index) {
            self.by_address.insert(moved.resource.address(), index);
        }
        true
    }
}

/// Reads the whole family of files of the database `name`.
pub fn read(
    name: &Path,
    strictness: Strictness,
    summary: &mut Summary,
    progress: &mut dyn FnMut(Progress),
) -> Result<Leases, ImportError> {
    if family::clean_up_under_way(name)? {
        let name = name.display();
        summary.warn(|| format!("{name}.pid exists: stop Kea and its clean-up before an import that counts"));
    }
    let files = family::files(name)?;
    let mut leases = Leases::default();
    let mut done = Progress { octets: 0, total: files.iter().map(|file| file.octets).sum() };
    for (file, index) in files.iter().zip(0..) {
        let error = |error| ImportError::Read { path: file.path.clone(), error };
        let input = BufReader::with_capacity(READ_OCTETS, File::open(&file.path).map_err(error)?);
        let mut reader = FileReader { name: file.path.display().to_string(), index, strictness, summary };
        reader.read(input, &mut leases, &mut |octets| {
            progress(Progress { octets: done.octets + octets, ..done });
        })?;
        done.octets += file.octets;
    }
    progress(Progress { octets: done.total, ..done });
    Ok(leases)
}

/// Reads lines that are not in a file, such as those of a test; errors call them `name`.
pub fn read_from(
    name: &str,
    input: impl BufRead,
    strictness: Strictness,
    summary: &mut Summary,
) -> Result<Leases, ImportError> {
    let mut leases = Leases::default();
    FileReader { name: name.to_owned(), index: 0, strictness, summary }.read(
        input,
        &mut leases,
        &mut |_| (),
    )?;
    Ok(leases)
}

/// One file being read.
struct FileReader<'a> {
    name: String,
    index: u32,
    strictness: Strictness,
    summary: &'a mut Summary,
}

impl FileReader<'_> {
    fn read(
        &mut self,
        input: impl BufRead,
        leases: &mut Leases,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ImportError> {
        self.summary.files.push(self.name.clone());
        let mut lines = Lines::new(input);
        let Some(layout) = self.header(&mut lines)? else { return Ok(()) };
        let mut relays = RelaysMemory::default();
        let mut reported = 0;
        while let Some(Line { number, text }) = lines.next().map_err(|error| self.unreadable(error))? {
            self.summary.lines += 1;
            let place = Place { file: self.index, line: number };
            let row = text.and_then(|text| layout.row(text)).map_err(LineError::from);
            match row.and_then(|row| parse(&row, place, &mut relays)) {
                Ok(lease) => leases.apply(lease, self.summary),
                Err(error) => self.bad(number, &error)?,
            }
            if lines.octets - reported >= PROGRESS_OCTETS {
                reported = lines.octets;
                progress(reported);
            }
        }
        Ok(())
    }

    /// The header of a file; `None` if there is nothing in it at all, as in a lease file just begun.
    fn header(&mut self, lines: &mut Lines<impl BufRead>) -> Result<Option<Layout>, ImportError> {
        let Some(line) = lines.next().map_err(|error| self.unreadable(error))? else { return Ok(None) };
        let layout = line.text.map_err(HeaderError::from).and_then(Layout::from_header);
        let layout = layout.map_err(|error| ImportError::Line(self.bad_line(line.number, &error)))?;
        for column in &layout.unknown {
            let name = &self.name;
            self.summary
                .warn(|| format!("{name}:{}: column `{column}` is not known and is left out", line.number));
        }
        Ok(Some(layout))
    }

    fn bad(&mut self, line: u64, error: &LineError) -> Result<(), ImportError> {
        if self.strictness == Strictness::Stop {
            return Err(ImportError::Line(self.bad_line(line, error)));
        }
        let file = &self.name;
        self.summary.bad_line(|| BadLine { file: file.clone(), line, reason: error.to_string() });
        Ok(())
    }

    fn bad_line(&self, line: u64, reason: &dyn std::error::Error) -> BadLine {
        BadLine { file: self.name.clone(), line, reason: reason.to_string() }
    }

    fn unreadable(&self, error: std::io::Error) -> ImportError {
        ImportError::Read { path: self.name.clone().into(), error }
    }
}

/// The last user context and what it gave. The address and the prefix of one client stand on neighbouring
/// lines with the same context: remembering it halves the work and, as the octets are shared, the memory.
struct RelaysMemory {
    context: Vec<u8>,
    relays: Relays,
}

impl Default for RelaysMemory {
    fn default() -> Self {
        Self { context: Vec::new(), relays: Ok(None) }
    }
}

impl RelaysMemory {
    fn relays(&mut self, context: &[u8]) -> Relays {
        if self.context != context {
            self.context.clear();
            self.context.extend_from_slice(context);
            self.relays = if context.is_empty() {
                Ok(None)
            } else {
                relay_forwards(&unescape(context)).map(|r| r.map(Arc::from))
            };
        }
        self.relays.clone()
    }
}

/// Reads a row.
fn parse(row: &Row, place: Place, memory: &mut RelaysMemory) -> Result<LeaseLine, LineError> {
    let lease_type = lease_type(row)?;
    let state = state(row)?;
    let valid_secs = number(row, Column::ValidLifetime, "valid_lifetime")?;
    let fqdn_forward = flag(row, Column::FqdnForward, "fqdn_fwd")?;
    let fqdn_reverse = flag(row, Column::FqdnReverse, "fqdn_rev")?;
    Ok(LeaseLine {
        resource: resource(row, lease_type)?,
        lease_type,
        state,
        duid: duid(row, state)?,
        iaid: Iaid(number(row, Column::Iaid, "iaid")?),
        subnet: number(row, Column::SubnetId, "subnet_id")?,
        preferred_secs: number(row, Column::PreferredLifetime, "pref_lifetime")?,
        valid_secs,
        heard_at: heard_at(row, valid_secs)?,
        relays: memory.relays(row.value(Column::UserContext)),
        fqdn: fqdn::client_fqdn(&unescape(row.value(Column::Hostname)), fqdn_forward, fqdn_reverse),
        place,
    })
}

fn resource(row: &Row, lease_type: LeaseType) -> Result<Prefix, LineError> {
    let text = str::from_utf8(row.value(Column::Address)).map_err(|_| LineError::Address)?;
    let address: Ipv6Addr = text.parse().map_err(|_| LineError::Address)?;
    let bits: u32 = number(row, Column::PrefixLength, "prefix_len")?;
    let fits = if lease_type == LeaseType::Prefix { 1..=128 } else { 128..=128 };
    let length = u8::try_from(bits).ok().filter(|length| fits.contains(length));
    let prefix = length.and_then(|length| Prefix::new(address, length).ok());
    let prefix = prefix.ok_or(LineError::PrefixLength(bits))?;
    if prefix.address() == address { Ok(prefix) } else { Err(LineError::HostBits(bits)) }
}

/// Kea writes `00:00:00` (`00` in old versions) for nobody.
fn duid(row: &Row, state: LeaseState) -> Result<Option<Duid>, LineError> {
    let mut octets = Vec::with_capacity(wire::limits::MAX_DUID_OCTETS);
    octets::append_colon_hex(row.value(Column::Duid), &mut octets).ok_or(LineError::Duid)?;
    let nobody = octets.len() <= 3 && octets.iter().all(|&octet| octet == 0);
    match (state, nobody) {
        (LeaseState::Declined, _) => Ok(None),
        (_, true) => Err(LineError::NoDuid),
        (_, false) => Duid::new(&octets).map(Some).map_err(|_| LineError::Duid),
    }
}

/// Kea stores when a lease expires, and knows by subtraction when it last heard of it. Infinity is subtracted
/// like any other lifetime, unless the line was written by something that left it out or lost it by overflow.
fn heard_at(row: &Row, valid_secs: u32) -> Result<u64, LineError> {
    let expires_at: u64 = number(row, Column::Expire, "expire")?;
    let heard_at = match expires_at.checked_sub(u64::from(valid_secs)) {
        None if valid_secs == INFINITE => Some(expires_at),
        heard_at => heard_at,
    };
    heard_at.filter(|&heard_at| heard_at <= u64::from(u32::MAX)).ok_or(LineError::Expire)
}

fn lease_type(row: &Row) -> Result<LeaseType, LineError> {
    match number(row, Column::LeaseType, "lease_type")? {
        0 => Ok(LeaseType::Address),
        1 => Ok(LeaseType::Temporary),
        2 => Ok(LeaseType::Prefix),
        other => Err(LineError::LeaseType(other)),
    }
}

/// The column is younger than the file format; without it, a lease is assigned.
fn state(row: &Row) -> Result<LeaseState, LineError> {
    if !row.has(Column::State) {
        return Ok(LeaseState::Assigned);
    }
    match number(row, Column::State, "state")? {
        0 => Ok(LeaseState::Assigned),
        1 => Ok(LeaseState::Declined),
        2 => Ok(LeaseState::Reclaimed),
        3 => Ok(LeaseState::Released),
        4 => Ok(LeaseState::Registered),
        other => Err(LineError::State(other)),
    }
}

fn number<N: TryFrom<u64>>(row: &Row, column: Column, name: &'static str) -> Result<N, LineError> {
    let digits = row.value(column);
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    });
    let number = number.filter(|_| all_digits).and_then(|number| N::try_from(number).ok());
    number.ok_or(LineError::Number(name))
}

fn flag(row: &Row, column: Column, name: &'static str) -> Result<bool, LineError> {
    match row.value(column) {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(LineError::Flag(name)),
    }
}
