//! Synthetic clients, as many as wanted: for load tests and for the demonstration.
//!
//! A relay stands for an access node: it has a link of its own, and behind each of its ports is one
//! client with an address (IA_NA) and a delegated /56 (IA_PD). Addresses come from 2001:db8::/32,
//! delegated prefixes from 3fff::/20; both are reserved for documentation (RFC 3849, RFC 9637).
//! The same seed and time always give the same clients, and no two clients share anything.

use std::net::Ipv6Addr;

use lease::{
    AddressPool, Binding, Client, ClientKey, DelegationPool, Heard, IaKind, Lease, LeaseState, Link, LinkId,
    RelayPath, Resource,
};
use wire::{Duid, Iaid, MessageType, OptionCode, Prefix, Writer};
use world::Chance;

/// Relays at most: so many links of 64 bits are numbered in 16 bits of the address.
pub const MAX_RELAYS: usize = 1 << 16;
/// Clients at most: a port is numbered in 24 bits of the client's MAC address.
pub const MAX_CLIENTS: usize = 1 << 24;

/// Seconds for which an address or a prefix is preferred: a day.
const PREFERRED_SECS: u32 = 86_400;
/// Seconds for which it is valid: two days.
const VALID_SECS: u32 = 2 * PREFERRED_SECS;
/// A client renews after half of the preferred lifetime, so it was heard at most so long ago.
const RENEWED_SECS: u64 = PREFERRED_SECS as u64 / 2;
/// Bits of a delegated prefix.
const DELEGATED_LENGTH: u8 = 56;
/// Bits of what all prefixes are delegated from.
const DELEGATED_FROM_LENGTH: u8 = 20;
/// The number of an enterprise that does not exist (RFC 5612).
const ENTERPRISE: u32 = 32_473;
/// Where the addresses to assign begin on each link; before them are the routers.
const FIRST_ASSIGNED: u128 = 0x1_0000_0000;

/// So many clients behind so many relays, and the relays' links. What they hold is valid at
/// `now_unix_secs` and for at least a day from then.
///
/// # Panics
///
/// With no relay, or more relays or clients than [`MAX_RELAYS`] and [`MAX_CLIENTS`].
pub fn populate(
    clients: usize,
    relays: usize,
    now_unix_secs: u64,
    seed: u64,
) -> (Vec<Link>, impl Iterator<Item = Client>) {
    populate_behind(Vec::new(), clients, relays, now_unix_secs, seed)
}

/// The same clients, but those of a relay share its few interfaces, which have these Interface-IDs, in turn. With none, every
/// client has an interface of its own.
///
/// # Panics
///
/// Likewise.
pub fn populate_behind(
    interface_ids: Vec<String>,
    clients: usize,
    relays: usize,
    now_unix_secs: u64,
    seed: u64,
) -> (Vec<Link>, impl Iterator<Item = Client>) {
    assert!((1..=MAX_RELAYS).contains(&relays) && clients <= MAX_CLIENTS, "too many, or no relay");
    let nodes: Vec<Relay> = (0..relays).map(|number| Relay::new(number, relays)).collect();
    let links = nodes.iter().map(Relay::link).collect();
    let mut chance = Chance::from_seed(seed);
    let clients = (0..clients).map(move |index| {
        let port = (index / relays) as u32;
        let interface_id = match interface_ids.len() {
            0 => format!("ge-0/0/{port}"),
            shared => interface_ids[port as usize % shared].clone(),
        };
        nodes[index % relays].client(port, &interface_id, now_unix_secs, &mut chance)
    });
    (links, clients)
}

/// An access node.
struct Relay {
    number: u32,
    duid: Duid,
    on_link: Prefix,
    delegated_from: Prefix,
}

impl Relay {
    fn new(number: usize, relays: usize) -> Self {
        let index = number as u128;
        let pool_bits = relays.next_power_of_two().trailing_zeros() as u8;
        let pool_length = DELEGATED_FROM_LENGTH + pool_bits;
        let pool = (0x3fff_u128 << 112) | (index << (128 - pool_length));
        let number = number as u32;
        let mut duid = vec![0, 3, 0, 1, 0x02, 0x00];
        duid.extend((number + 1).to_be_bytes());
        Self {
            number,
            duid: Duid::new(&duid).expect("ten octets are a DUID"),
            on_link: prefix((0x2001_0db8_u128 << 96) | (index << 64), 64),
            delegated_from: prefix(pool, pool_length),
        }
    }

    fn link(&self) -> Link {
        let base = self.on_link.address().to_bits();
        Link {
            id: LinkId(self.number + 1),
            name: format!("access-{}", self.number + 1),
            prefixes: vec![self.on_link],
            relay_addresses: Vec::new(),
            interface_ids: Vec::new(),
            relay_ids: Vec::new(),
            interfaces: Vec::new(),
            address_pools: vec![AddressPool {
                first: Ipv6Addr::from_bits(base + FIRST_ASSIGNED),
                last: Ipv6Addr::from_bits(base + FIRST_ASSIGNED + u128::from(u32::MAX)),
            }],
            delegation_pools: vec![DelegationPool {
                prefix: self.delegated_from,
                delegated_length: DELEGATED_LENGTH,
                excluded: None,
            }],
        }
    }

    fn client(&self, port: u32, interface_id: &str, now_unix_secs: u64, chance: &mut Chance) -> Client {
        let heard = now_unix_secs.saturating_sub(chance.below(RENEWED_SECS));
        let mac = self.mac(port);
        let made: [u8; 4] = (chance.next_u64() as u32).to_be_bytes();
        let duid = [&[0, 1, 0, 1], &made[..], &mac].concat();
        let address =
            Ipv6Addr::from_bits(self.on_link.address().to_bits() + FIRST_ASSIGNED + u128::from(port));
        let from = self.delegated_from.address().to_bits();
        let delegated = prefix(from | (u128::from(port) << (128 - DELEGATED_LENGTH)), DELEGATED_LENGTH);
        let iaid = Iaid(chance.next_u64() as u32);
        let binding = |kind, resource| Binding { kind, iaid, leases: vec![lease(resource, heard)] };
        Client {
            key: ClientKey {
                link: LinkId(self.number + 1),
                duid: Duid::new(&duid).expect("fourteen octets are a DUID"),
            },
            heard: Heard { at_unix_secs: heard, path: Some(self.path(interface_id, mac, chance)) },
            options: Vec::new(),
            reconfigure: None,
            bindings: vec![
                binding(IaKind::Address, Resource::Address(address)),
                binding(IaKind::Prefix, Resource::Prefix(delegated)),
            ],
        }
    }

    /// Locally administered; no other client has it, for relay and port are in it.
    fn mac(&self, port: u32) -> [u8; 6] {
        let [_, _, high, low] = self.number.to_be_bytes();
        let [_, a, b, c] = port.to_be_bytes();
        [0x02, high, low, a, b, c]
    }

    /// The Relay-forward in which the client's message came.
    fn path(&self, interface_id: &str, mac: [u8; 6], chance: &mut Chance) -> RelayPath {
        let router = Ipv6Addr::from_bits(self.on_link.address().to_bits() + 1);
        let mut octets = Vec::with_capacity(128);
        let mut writer = Writer::new(&mut octets);
        writer.u8(MessageType::RelayForward as u8);
        writer.u8(0);
        writer.address(router);
        writer.address(link_local(mac));
        writer.raw_option(OptionCode::INTERFACE_ID, interface_id.as_bytes());
        writer.option(OptionCode::REMOTE_ID, |w| {
            w.u32(ENTERPRISE);
            w.bytes(&chance.next_u64().to_be_bytes());
            w.bytes(&chance.next_u64().to_be_bytes());
        });
        writer.raw_option(OptionCode::RELAY_ID, self.duid.octets());
        writer.finish().expect("a relay path is short");
        RelayPath::new(router, &octets).expect("what was just written is a path")
    }
}

fn lease(resource: Resource, granted_unix_secs: u64) -> Lease {
    Lease {
        resource,
        state: LeaseState::Active,
        granted_unix_secs,
        preferred_secs: PREFERRED_SECS,
        valid_secs: VALID_SECS,
        excluded: None,
    }
}

fn prefix(bits: u128, length: u8) -> Prefix {
    Prefix::new(Ipv6Addr::from_bits(bits), length).expect("no length here is over 128")
}

/// The address that an interface makes of its MAC address (RFC 4291, appendix A).
fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac;
    let interface = u64::from_be_bytes([a ^ 0x02, b, c, 0xff, 0xfe, d, e, f]);
    Ipv6Addr::from_bits((0xfe80_u128 << 112) | u128::from(interface))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn the_same_seed_gives_the_same_clients_and_no_two_share_anything() {
        let (links, clients) = populate(1000, 3, NOW, 7);
        let clients: Vec<Client> = clients.collect();
        assert!(populate(1000, 3, NOW, 7).1.eq(clients.iter().cloned()));
        assert!(!populate(1000, 3, NOW, 8).1.eq(clients.iter().cloned()));
        assert_eq!((links.len(), clients.len()), (3, 1000));

        let mut table = lease::Table::default();
        let duids: BTreeSet<&Duid> = clients.iter().map(|client| &client.key.duid).collect();
        assert_eq!(duids.len(), 1000);
        for client in &clients {
            table.put(client).expect("nobody else holds it");
        }
    }

    #[test]
    fn clients_may_share_interfaces() {
        let ids = ["eth1", "eth2"];
        let (_, clients) = populate_behind(ids.map(str::to_owned).into(), 5, 1, NOW, 7);
        let own: Vec<Client> = populate(5, 1, NOW, 7).1.collect();
        for ((client, own), id) in clients.zip(own).zip(ids.iter().cycle()) {
            let path = client.heard.path.as_ref().expect("a relay is before it").octets();
            assert!(path.windows(4).any(|octets| octets == id.as_bytes()), "{path:02x?}");
            assert_eq!((client.key, client.bindings), (own.key, own.bindings));
        }
    }

    #[test]
    fn what_is_held_is_in_the_pools_and_valid_for_a_day() {
        let (links, clients) = populate(1000, 5, NOW, 7);
        for client in clients {
            let link = &links[client.key.link.0 as usize - 1];
            for lease in client.bindings.iter().flat_map(|binding| &binding.leases) {
                assert!(lease.valid_remaining_secs(NOW) >= 86_400);
                match lease.resource {
                    Resource::Address(address) => {
                        let AddressPool { first, last } = link.address_pools[0];
                        assert!((first..=last).contains(&address) && link.prefixes[0].contains(address));
                    }
                    Resource::Prefix(prefix) => {
                        assert!(link.delegation_pools[0].prefix.covers(prefix));
                        assert_eq!(prefix.length(), 56);
                    }
                }
            }
        }
    }
}
