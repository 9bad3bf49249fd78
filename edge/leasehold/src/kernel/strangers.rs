//! Who stands where routes of ours would: only to be shown, so it is read when it is asked for.

use std::fmt;
use std::io;

use nix::net::if_::if_indextoname;

use super::RouteSettings;
use super::dump::{RECEIVE_OCTETS, table};
use super::route::{Stranger, stranger};
use super::socket::NetlinkSocket;

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
