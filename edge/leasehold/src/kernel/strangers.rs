//! Who stands where routes of ours would: only to be shown, so it is read when it is asked for.

use std::fmt;
use std::io;
use std::net::Ipv6Addr;

use nix::net::if_::if_indextoname;
use wire::Prefix;

use super::RouteSettings;
use super::dump::{RECEIVE_OCTETS, table};
use super::route::stranger;
use super::socket::NetlinkSocket;

/// Somebody else's route in our table, with our metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger {
    /// Where it leads.
    pub destination: Prefix,
    /// Who has made it: `rtm_protocol`.
    pub protocol: u8,
    /// The next hop, if there is one.
    pub gateway: Option<Ipv6Addr>,
    /// The interface that it leaves by; 0 if it leaves by none or by several.
    pub interface_index: u32,
}

/// Much as `ip route` writes it.
impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination: _, protocol, gateway, interface_index } = self;
        if let Some(gateway) = gateway {
            write!(f, "via {gateway} ")?;
        }
        // For a number that no interface has, what comes is an empty name.
        let name = if_indextoname(*interface_index).unwrap_or_default();
        if !name.is_empty() {
            write!(f, "dev {} ", name.to_string_lossy())?;
        }
        write!(f, "proto {protocol}")
    }
}

/// All of them.
pub fn strangers(settings: &RouteSettings) -> io::Result<Vec<Stranger>> {
    let mut socket = NetlinkSocket::open(RECEIVE_OCTETS)?;
    table(&mut socket, settings.table, |payload| stranger(settings, payload))
}
