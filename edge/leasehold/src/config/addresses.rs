//! Addresses, prefixes and sockets as an operator writes them.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use wire::{Prefix, PrefixError, SERVER_PORT};

use super::faults::Collector;
use super::toml_tree::Item;

/// Every address of the machine, on the port of servers.
pub(super) fn any_address() -> SocketAddrV6 {
    SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, SERVER_PORT, 0, 0)
}

/// Reads a list without repetitions.
pub(super) fn listen(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<SocketAddrV6>> {
    let mut heard = Vec::new();
    item.list_of(faults, |item, faults| {
        let socket = socket(item, faults)?;
        if heard.contains(&socket) {
            faults.fault(item.place(), format!("{socket} stands here twice"), "leave one of them out");
        }
        heard.push(socket);
        Some(socket)
    })
}

/// An address with a port, or without one and then with 547.
fn socket(item: &Item<'_>, faults: &mut Collector) -> Option<SocketAddrV6> {
    let remedy = format!("write an IPv6 address and a port from 1 to 65535, such as \"[::]:{SERVER_PORT}\"");
    item.parse(faults, &remedy, |text| {
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(SocketAddrV6::new(address, SERVER_PORT, 0, 0));
        }
        match text.parse::<SocketAddr>() {
            Ok(SocketAddr::V6(socket)) if socket.port() != 0 => Ok(socket),
            Ok(SocketAddr::V6(_)) => Err(format!("{text:?} has no port that can be asked")),
            Ok(SocketAddr::V4(_)) => Err(format!("{text:?} is an IPv4 address")),
            Err(_) => Err(format!("{text:?} is not an address with a port")),
        }
    })
}

/// An address.
pub(super) fn address(item: &Item<'_>, faults: &mut Collector) -> Option<Ipv6Addr> {
    item.parse(faults, "write an IPv6 address, such as \"2001:db8::1\"", |text| {
        text.parse().map_err(|_| format!("{text:?} is not an IPv6 address"))
    })
}

/// A prefix without host bits.
pub(super) fn prefix(item: &Item<'_>, faults: &mut Collector) -> Option<Prefix> {
    let text = item.string(faults)?;
    let remedy = match meant_prefix(text) {
        Some(meant) => format!("write \"{meant}\""),
        None => "write an address, a slash and a length, such as \"2001:db8::/32\"".to_owned(),
    };
    item.parse(faults, &remedy, |text| {
        text.parse::<Prefix>().map_err(|error| match error {
            PrefixError::HostBits => format!("{text:?} has bits set behind its length"),
            PrefixError::Length(length) => format!("{text:?} has {length} bits, more than 128"),
            PrefixError::NotPrefix => format!("{text:?} is not a prefix"),
        })
    })
}

/// What a text with host bits would be without them.
fn meant_prefix(text: &str) -> Option<Prefix> {
    let (address, length) = text.split_once('/')?;
    Prefix::new(address.parse().ok()?, length.parse().ok()?).ok()
}
