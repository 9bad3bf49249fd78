//! The inside of CLIENT_DATA: one client, its leases, and how it was heard (RFC 5007 §4.1.2.2).
//!
//! [`ClientData`] is read in one pass and borrows from the message. A server sends a million of
//! them a second, so this pass allocates nothing; who wants to keep one makes a
//! [`crate::ClientRecord`] of it. Faults beside good leases cost a [`Warning`] and not the leases.

use std::net::Ipv6Addr;

use wire::{DhcpOption, DuidRef, IaAddress, IaPrefix, OptionCode, Options, Prefix, RawOption};

use crate::limits::FIRST_ABSOLUTE_CLT;
use crate::relay_path::RelayPath;
use crate::warning::{Warning, Warnings};

/// What one message says of one client.
#[derive(Debug, Clone, Copy)]
pub struct ClientData<'a> {
    /// The client.
    pub client_id: DuidRef<'a>,
    /// Seconds since the server last heard from the client; `None` if it cannot be told.
    pub last_heard_secs: Option<u32>,
    /// The relays through which the server heard it, if it says so.
    pub relay_path: Option<RelayPath<'a>>,
    /// How many leases with time left there are: at least one.
    pub lease_count: usize,
    options: Options<'a>,
}

/// What is leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// An address.
    Address(Ipv6Addr),
    /// A delegated prefix.
    Prefix(Prefix),
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Prefix(prefix) => prefix.fmt(f),
        }
    }
}

/// A lease with time left. Seconds count from the receipt of the message; [`wire::INFINITE`] is
/// for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub resource: Resource,
    /// At most `valid_secs`.
    pub preferred_secs: u32,
    /// Not 0.
    pub valid_secs: u32,
}

/// What was found on the one pass over the options, before anything is concluded from it.
#[derive(Default)]
struct Found<'a> {
    client_id: Option<&'a [u8]>,
    clt_time: Option<&'a [u8]>,
    relay_data: Option<&'a [u8]>,
    leases: usize,
    live_leases: usize,
}

impl<'a> ClientData<'a> {
    /// Reads the data of a CLIENT_DATA; `beside` is an LQ_RELAY_DATA that stood next to it. `None`
    /// if nothing in it is of use; `warnings` says why.
    pub(crate) fn read(data: &'a [u8], beside: Option<&'a [u8]>, warnings: &mut Warnings) -> Option<Self> {
        let Ok(options) = Options::new(data) else {
            warnings.add(Warning::MalformedClient);
            return None;
        };
        let found = Found::gather(options, warnings);
        let client_id = found.client_id.and_then(|octets| DuidRef::new(octets).ok());
        let Some(client_id) = client_id else {
            warnings.add(Warning::MalformedClient);
            return None;
        };
        let last_heard_secs = found.last_heard_secs(warnings)?;
        if found.live_leases == 0 {
            if found.leases == 0 {
                warnings.add(Warning::WithoutLeases);
            }
            return None;
        }
        let relay_path = found.relay_data.or(beside).and_then(|data| relay_path(data, warnings));
        Some(Self { client_id, last_heard_secs, relay_path, lease_count: found.live_leases, options })
    }

    /// The leases that have time left.
    pub fn leases(&self) -> impl Iterator<Item = Lease> + use<'a> {
        let leases = self.options.iter().filter_map(Lease::read_as_sent).map(|(_, lease)| lease);
        leases.filter(|lease| lease.valid_secs > 0)
    }
}

impl<'a> Found<'a> {
    fn gather(options: Options<'a>, warnings: &mut Warnings) -> Self {
        let mut found = Self::default();
        for option in options.iter() {
            match option.code {
                OptionCode::CLIENTID => keep_first(&mut found.client_id, option.data),
                OptionCode::CLT_TIME => keep_first(&mut found.clt_time, option.data),
                OptionCode::LQ_RELAY_DATA => keep_first(&mut found.relay_data, option.data),
                OptionCode::IAADDR | OptionCode::IAPREFIX => found.count_lease(option, warnings),
                _ => {}
            }
        }
        found
    }

    fn count_lease(&mut self, option: RawOption<'a>, warnings: &mut Warnings) {
        self.leases += 1;
        let Some((preferred_secs, lease)) = Lease::read_as_sent(option) else {
            return warnings.add(Warning::MalformedLease);
        };
        if lease.valid_secs == 0 {
            return warnings.add(Warning::ExpiredLease);
        }
        if preferred_secs > lease.valid_secs {
            warnings.add(Warning::PreferredOverValid);
        }
        self.live_leases += 1;
    }

    /// `None` if there is no CLT_TIME, and nothing is to be believed (RFC 5007 §4.3.3).
    fn last_heard_secs(&self, warnings: &mut Warnings) -> Option<Option<u32>> {
        let Some(octets) = self.clt_time.and_then(|data| data.try_into().ok()) else {
            warnings.add(Warning::WithoutCltTime);
            return None;
        };
        let secs = u32::from_be_bytes(octets);
        if secs < FIRST_ABSOLUTE_CLT {
            return Some(Some(secs));
        }
        warnings.add(Warning::AbsoluteCltTime);
        Some(None)
    }
}

impl Lease {
    /// The lease, and the preferred lifetime that was sent. One above the valid lifetime has ended
    /// and was sent in full, as Kea does it.
    fn read_as_sent(option: RawOption<'_>) -> Option<(u32, Self)> {
        let (resource, preferred_secs, valid_secs) = match option.code {
            OptionCode::IAADDR => {
                let IaAddress { address, preferred_secs, valid_secs, options: _ } =
                    IaAddress::decode(option.data).ok()?;
                (Resource::Address(address), preferred_secs, valid_secs)
            }
            OptionCode::IAPREFIX => {
                let IaPrefix { preferred_secs, valid_secs, prefix, options: _ } =
                    IaPrefix::decode(option.data).ok()?;
                (Resource::Prefix(prefix), preferred_secs, valid_secs)
            }
            _ => return None,
        };
        let clamped = if preferred_secs > valid_secs { 0 } else { preferred_secs };
        Some((preferred_secs, Self { resource, preferred_secs: clamped, valid_secs }))
    }
}

fn relay_path<'a>(data: &'a [u8], warnings: &mut Warnings) -> Option<RelayPath<'a>> {
    let decoded = DhcpOption::decode(RawOption { code: OptionCode::LQ_RELAY_DATA, data });
    let path = match decoded {
        Ok(DhcpOption::LqRelayData(data)) => RelayPath::new(data).ok(),
        _ => None,
    };
    if path.is_none() {
        warnings.add(Warning::UnreadableRelayData);
    }
    path
}

fn keep_first<'a>(slot: &mut Option<&'a [u8]>, data: &'a [u8]) {
    slot.get_or_insert(data);
}
