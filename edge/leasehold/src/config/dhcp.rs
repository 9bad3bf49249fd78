//! The exchanges with clients, and what is said of them for all links: `[dhcp]`.
//!
//! [`Rules`] are the pure server's own and are read in place; what is around them is the business of
//! sockets and of what lies between the messages.

use std::net::SocketAddrV6;
use std::ops::RangeInclusive;

use lease::InterfacePattern;
use server::assign::Reservation;
use server::exchange::{LinkTerms, Rules};
use wire::{CLIENT_PORT, SERVER_PORT};

use super::addresses::{any_address, listen};
use super::faults::Collector;
use super::toml_tree::Item;
use super::{codes, duid, interfaces, lifetimes, options};

/// Seconds that an offer waits. A client asks within a minute; what waits for hours is a lease.
const OFFER_SECS: RangeInclusive<u32> = 1..=3_600;
/// Seconds that something is kept or rests, up to ten years: longer times are mistakes.
pub(crate) const KEEPING_SECS: RangeInclusive<u32> = 0..=315_360_000;
/// Leases of one client: what fits into one of its messages.
const CLIENT_LEASES: RangeInclusive<usize> = 1..=1_000;
/// Leases behind one port of a relay; a million is as good as no limit.
const PORT_LEASES: RangeInclusive<usize> = 1..=1_000_000;

/// Exchanges with clients, directly and through relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dhcp {
    /// Where to listen; nowhere switches DHCP off. An address may be one of leasequery over UDP, too:
    /// then one socket serves both.
    pub listen: Vec<SocketAddrV6>,
    /// Interfaces whose multicast groups are joined, besides those of links: relays may multicast.
    pub interfaces: Vec<InterfacePattern>,
    /// Where answers to clients go.
    pub client_port: u16,
    /// Where answers to relays go.
    pub relay_port: u16,
    /// Seconds that what was offered waits for its client.
    pub offer_secs: u32,
    /// What the pure server goes by; every link of the configuration is in it.
    pub rules: Rules,
    /// What is kept for subscribers, in the order of the file.
    pub reservations: Vec<Reservation>,
}

impl Default for Dhcp {
    fn default() -> Self {
        Self {
            listen: vec![any_address()],
            interfaces: Vec::new(),
            client_port: CLIENT_PORT,
            relay_port: SERVER_PORT,
            offer_secs: 30,
            rules: Rules::default(),
            reservations: Vec::new(),
        }
    }
}

/// Reads `[dhcp]`; with it, what it says for links that do not say otherwise.
pub(super) fn read(item: &Item<'_>, faults: &mut Collector) -> Option<(Dhcp, LinkTerms)> {
    let mut table = item.table(faults)?;
    let mut dhcp = Dhcp::default();
    let Rules {
        accept_unicast,
        ignored_clients,
        relay_supplied,
        grace_secs,
        remember_secs,
        decline_rest_secs,
        max_leases_per_client,
        max_leases_per_remote_id,
        options,
        links: _,
    } = &mut dhcp.rules;
    let port = |item: &Item<'_>, faults: &mut Collector| item.number(1..=u16::MAX, faults);
    let keeping = |item: &Item<'_>, faults: &mut Collector| item.number(KEEPING_SECS, faults);
    table.read_into(&mut dhcp.listen, "listen", faults, listen);
    table.read_into(&mut dhcp.interfaces, "interfaces", faults, |list, faults| {
        list.list_of(faults, interfaces::pattern)
    });
    table.read_into(&mut dhcp.client_port, "client-port", faults, port);
    table.read_into(&mut dhcp.relay_port, "relay-port", faults, port);
    table.read_into(accept_unicast, "accept-unicast", faults, Item::boolean);
    table.read_into(ignored_clients, "ignored-clients", faults, |list, faults| {
        Some(list.list_of(faults, duid)?.into_iter().collect())
    });
    table.read_into(relay_supplied, "relay-supplied-options", faults, |list, faults| {
        Some(list.list_of(faults, codes::for_clients)?.into_iter().collect())
    });
    table.read_into(&mut dhcp.offer_secs, "offer-secs", faults, |item, f| item.number(OFFER_SECS, f));
    table.read_into(grace_secs, "grace-secs", faults, keeping);
    table.read_into(remember_secs, "remember-secs", faults, keeping);
    table.read_into(decline_rest_secs, "decline-rest-secs", faults, keeping);
    table.read_into(max_leases_per_client, "max-leases-per-client", faults, |item, faults| {
        item.number(CLIENT_LEASES, faults)
    });
    *max_leases_per_remote_id =
        table.read("max-leases-per-remote-id", faults, |item, faults| item.number(PORT_LEASES, faults));
    let for_links = lifetimes::read(&mut table, &LinkTerms::default(), faults);
    table.read_into(options, "options", faults, options::read);
    table.finish(faults);
    Some((dhcp, for_links))
}
