//! Links: `[[link]]`.
//!
//! A link is read alone, and then held against those before it ([`Taken`]): no two may share a
//! number, a name or a prefix, and no two pools an address, for else a lease would have two owners.
//! Prefixes of different links may cover one another, and relays may share an address; a query
//! that names several links is answered for all of them (RFC 5460 §7.2).

use std::net::Ipv6Addr;

use lease::{AddressPool, DelegationPool, InterfacePattern, Link, LinkId};
use server::assign::Reservation;
use server::exchange::{LinkTerms, PoolTerms};
use wire::{Duid, Prefix};

use super::addresses::{address, prefix};
use super::faults::Collector;
use super::taken::Taken;
use super::toml_tree::{Item, Place, Table};
use super::{duid, interfaces, lifetimes, octets, options, pools, reservations};

/// A link, with what is decided for it and kept on it.
pub(super) struct LinkSection {
    pub(super) link: Link,
    pub(super) terms: LinkTerms,
    pub(super) reservations: Vec<Reservation>,
}

/// Reads all links; `around` is what goes for those that do not say otherwise.
pub(super) fn read(item: &Item<'_>, around: &LinkTerms, faults: &mut Collector) -> Option<Vec<LinkSection>> {
    let mut taken = Taken::default();
    let links = item.list_of(faults, |item, faults| link(item.table(faults)?, around, &mut taken, faults));
    taken.finish(faults);
    links
}

fn link(
    mut table: Table<'_>,
    around: &LinkTerms,
    taken: &mut Taken,
    faults: &mut Collector,
) -> Option<LinkSection> {
    taken.begin_link();
    let id = table.require("id", "1, or another number that no link has", faults, |item, faults| {
        let id = item.number(1..=u32::MAX, faults)?;
        taken.note_id(id, item.place(), faults);
        Some(LinkId(id))
    });
    let name =
        table.require("name", "\"bng-1\", or what you call it", faults, |item, f| name(item, taken, f));
    let mut prefixes = Some(Vec::new());
    table.read_into(&mut prefixes, "prefixes", faults, |list, faults| {
        Some(list.list_of(faults, |item, faults| link_prefix(item, taken, faults)))
    });
    let Ways { relay_addresses, interface_ids, relay_ids, interfaces } = ways(&mut table, taken, faults);
    let mut terms = lifetimes::read(&mut table, around, faults);
    let on_link = prefixes.as_deref();
    let (address_pools, delegation_pools) = pools(&mut table, on_link, &mut terms.pools, taken, faults);
    table.read_into(&mut terms.options, "options", faults, options::read);
    let mut reservations = Vec::new();
    table.read_into(&mut reservations, "reservations", faults, |list, faults| {
        let link = id.unwrap_or_default();
        list.list_of(faults, |item, faults| reservations::read(item, link, on_link, taken, faults))
    });
    table.finish(faults);
    let link = Link {
        id: id?,
        name: name?,
        prefixes: prefixes?,
        relay_addresses,
        interface_ids,
        relay_ids,
        interfaces,
        address_pools,
        delegation_pools,
    };
    Some(LinkSection { link, terms, reservations })
}

fn name(item: &Item<'_>, taken: &mut Taken, faults: &mut Collector) -> Option<String> {
    let name = item.string(faults)?;
    if name.is_empty() || name.contains(char::is_control) {
        faults.fault(item.place(), "is empty or cannot be printed", "write what you call the link");
        return None;
    }
    taken.note_name(name, item.place(), faults);
    Some(name.to_owned())
}

fn link_prefix(item: &Item<'_>, taken: &mut Taken, faults: &mut Collector) -> Option<Prefix> {
    let prefix = prefix(item, faults)?;
    taken.note_prefix(prefix, item.place(), faults);
    Some(prefix)
}

/// How a message is found to come from a link.
#[derive(Default)]
struct Ways {
    relay_addresses: Vec<Ipv6Addr>,
    interface_ids: Vec<Box<[u8]>>,
    relay_ids: Vec<Duid>,
    interfaces: Vec<InterfacePattern>,
}

fn ways(table: &mut Table<'_>, taken: &mut Taken, faults: &mut Collector) -> Ways {
    let mut ways = Ways::default();
    let mut link_local: Vec<(Ipv6Addr, Place)> = Vec::new();
    table.read_into(&mut ways.relay_addresses, "relay-addresses", faults, |list, faults| {
        list.list_of(faults, |item, faults| {
            let address = address(item, faults)?;
            link_local.extend(address.is_unicast_link_local().then(|| (address, item.place().clone())));
            Some(address)
        })
    });
    table.read_into(&mut ways.interface_ids, "interface-ids", faults, |list, faults| {
        list.list_of(faults, |item, faults| {
            let interface_id = octets::identifier(item, faults)?;
            for (address, _) in &link_local {
                taken.note_link_local(*address, &interface_id, item.place(), faults);
            }
            Some(interface_id)
        })
    });
    if let (Some((address, place)), false) = (link_local.first(), table.has("interface-ids")) {
        let problem = format!("{address} is link-local, and other relays may have it too");
        faults.warning(place, problem, "add interface-ids, or clients behind it are not served");
    }
    table.read_into(&mut ways.relay_ids, "relay-ids", faults, |list, faults| {
        list.list_of(faults, |item, faults| {
            let relay = duid(item, faults)?;
            taken.note_relay_id(&relay, item.place(), faults);
            Some(relay)
        })
    });
    table.read_into(&mut ways.interfaces, "interfaces", faults, |list, faults| {
        list.list_of(faults, |item, faults| {
            let pattern = interfaces::pattern(item, faults)?;
            taken.note_interface(&pattern, item.place(), faults);
            Some(pattern)
        })
    });
    ways
}

fn pools(
    table: &mut Table<'_>,
    prefixes: Option<&[Prefix]>,
    terms: &mut Vec<PoolTerms>,
    taken: &mut Taken,
    faults: &mut Collector,
) -> (Vec<AddressPool>, Vec<DelegationPool>) {
    let (mut of_addresses, mut of_prefixes) = (Vec::new(), Vec::new());
    table.read_into(&mut of_addresses, "address-pools", faults, |list, faults| {
        list.list_of(faults, |item, faults| pools::address_pool(item, prefixes, terms, taken, faults))
    });
    table.read_into(&mut of_prefixes, "delegation-pools", faults, |list, faults| {
        list.list_of(faults, |item, faults| pools::delegation_pool(item, terms, taken, faults))
    });
    (of_addresses, of_prefixes)
}
