//! What every scenario needs: a site with a server, clients that do as the standard says, relays,
//! and answers taken apart.

mod client;
mod draft;
mod relay;
mod server;
mod site;
mod told;

use std::net::Ipv6Addr;

use lease::Resource;
use wire::{Duid, Prefix};

pub(crate) use client::Client;
pub(crate) use draft::{Datagram, Draft};
pub(crate) use relay::Relay;
pub(crate) use server::Server;
pub(crate) use site::{Site, pool, shared};
pub(crate) use told::{Told, ToldLease};

/// All servers and relays on a link.
pub(crate) const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// The server's own address, to which relays send.
pub(crate) const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 547);
/// Link-local address of every client of these scenarios.
pub(crate) const CLIENT: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xc1);

/// An address and a prefix out of the pools of the usual site.
pub(crate) const WISHED: [&str; 2] = ["2001:db8:1::1:123", "2001:db8:f000:700::/56"];

/// A server, and a client that was given just what it wished for, so many seconds ago.
pub(crate) fn bound(site: Site, ago_secs: u64) -> (Server, Client) {
    let mut server = site.open();
    let mut client = Client::new(1);
    server.bind(client.request().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    server.wait(ago_secs);
    (server, client)
}

pub(crate) fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

pub(crate) fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// `2001:db8::1` is an address, `2001:db8::/56` a prefix.
pub(crate) fn resource(text: &str) -> Resource {
    match text.parse() {
        Ok(address) => Resource::Address(address),
        Err(_) => Resource::Prefix(prefix(text)),
    }
}

pub(crate) fn server_id() -> Duid {
    "00:02:00:00:7e:d9:0c:c0:84:d3:03:00:09:12".parse().unwrap()
}

pub(crate) fn other_server_id() -> Duid {
    "00:02:00:00:7e:d9:0c:c0:84:d3:03:00:09:13".parse().unwrap()
}
