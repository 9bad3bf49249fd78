//! Links, with what is decided for them and kept on them; first made, then put where no other is.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use lease::{AddressPool, DelegationPool, InterfacePattern, Link, LinkId};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use server::assign::{Reservation, Subscriber};
use server::exchange::{LinkTerms, PoolTerms};
use wire::{Duid, Iaid, Prefix};

use super::options::offered;
use super::{duid, or_usual};

/// Times in the order in which they may run out.
pub(super) fn terms() -> impl Strategy<Value = LinkTerms> {
    let secs = || prop_oneof![1..=100_000u32, Just(wire::INFINITE)];
    let times = vec(secs(), 4).prop_map(|mut times| {
        times.sort_unstable();
        times
    });
    let given = (any::<bool>(), any::<bool>(), any::<bool>());
    (times, given, any::<[bool; 3]>(), offered(), vec(offered(), 4)).prop_map(
        |(times, (lifetimes, renewal, leave), switches, options, of_pools)| {
            let [rapid_commit, bind_on_renew, reconfigure] = switches;
            let usual = LinkTerms::default();
            let renew = |secs: u32| renewal.then_some(if leave { 0 } else { secs });
            LinkTerms {
                preferred_secs: if lifetimes || renewal { times[2] } else { usual.preferred_secs },
                valid_secs: if lifetimes || renewal { times[3] } else { usual.valid_secs },
                t1_secs: renew(times[0]),
                t2_secs: renew(times[1]),
                rapid_commit,
                bind_on_renew,
                reconfigure,
                options,
                pools: of_pools
                    .into_iter()
                    .map(|options| PoolTerms {
                        first: Ipv6Addr::UNSPECIFIED,
                        last: Ipv6Addr::UNSPECIFIED,
                        options,
                    })
                    .collect(),
            }
        },
    )
}

/// A link whose addresses are still those of link 0.
pub(super) fn link() -> impl Strategy<Value = Link> {
    let relays = (vec(any::<u16>(), 0..3), btree_set(identifier(), 1..4), btree_set(duid(), 0..3));
    let pools = (btree_set(0..100u128, 0..3), option::of(option::of(57..=128u8)));
    ("[ -~]{1,10}", relays, pools, any::<bool>()).prop_map(
        |(name, (addresses, interface_ids, relay_ids), (starts, delegation), link_local)| Link {
            id: LinkId::default(),
            name,
            prefixes: vec![on_link(0)],
            relay_addresses: addresses
                .into_iter()
                .map(|last| Ipv6Addr::new(if link_local { 0xfe80 } else { 0x2001 }, 0, 0, 0, 0, 0, 0, last))
                .collect(),
            interface_ids: interface_ids.into_iter().collect(),
            relay_ids: relay_ids.into_iter().collect(),
            interfaces: Vec::new(),
            address_pools: starts.into_iter().map(pool_at).collect(),
            delegation_pools: delegation
                .map(|excluded| DelegationPool {
                    prefix: Prefix::new(delegated(0), 48).unwrap(),
                    delegated_length: 56,
                    excluded: excluded.map(|length| Prefix::new(delegated(0), length).unwrap()),
                })
                .into_iter()
                .collect(),
        },
    )
}

fn on_link(index: u16) -> Prefix {
    Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, 1, index, 0, 0, 0, 0), 64).unwrap()
}

fn delegated(index: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0xf000 + index, 0, 0, 0, 0, 0)
}

/// Sixteen addresses.
fn pool_at(start: u128) -> AddressPool {
    let first = on_link(0).address().to_bits() + 16 * start;
    AddressPool { first: Ipv6Addr::from_bits(first), last: Ipv6Addr::from_bits(first + 15) }
}

/// Moves a link to where no other is.
pub(super) fn place_link(mut link: Link, index: u16) -> Link {
    let moved = |address: Ipv6Addr| Ipv6Addr::from_bits(address.to_bits() + (u128::from(index) << 64));
    link.id = LinkId(u32::MAX - u32::from(index));
    link.name = format!("{index} {}", link.name);
    link.prefixes = vec![on_link(index)];
    link.interfaces =
        vec![InterfacePattern(format!("eth{index}")), InterfacePattern(format!("vlan{index}*"))];
    let octet = index as u8;
    link.interface_ids.iter_mut().for_each(|id| *id = [&[octet][..], &id[..]].concat().into());
    let relay = |duid: Duid| Duid::new(&[&[octet], &duid.octets()[1..]].concat()).unwrap();
    let relay_ids: BTreeSet<Duid> = link.relay_ids.drain(..).map(relay).collect();
    link.relay_ids = relay_ids.into_iter().collect();
    link.relay_addresses.sort_unstable();
    link.relay_addresses.dedup();
    for pool in &mut link.address_pools {
        (pool.first, pool.last) = (moved(pool.first), moved(pool.last));
    }
    for pool in &mut link.delegation_pools {
        pool.prefix = Prefix::new(delegated(index), pool.prefix.length()).unwrap();
        pool.excluded =
            pool.excluded.map(|excluded| Prefix::new(delegated(index), excluded.length()).unwrap());
    }
    link
}

/// Gives options to as many pools as there are, in their order.
pub(super) fn place_terms(mut terms: LinkTerms, link: &Link) -> LinkTerms {
    let addresses = link.address_pools.iter().map(|pool| (pool.first, pool.last));
    let prefixes =
        link.delegation_pools.iter().map(|pool| (pool.prefix.address(), pool.prefix.last_address()));
    let spans: Vec<_> = addresses.chain(prefixes).collect();
    terms.pools.truncate(spans.len());
    for (pool, (first, last)) in terms.pools.iter_mut().zip(spans) {
        (pool.first, pool.last) = (first, last);
    }
    terms.pools.retain(|pool| !pool.options.is_empty());
    terms
}

fn identifier() -> impl Strategy<Value = Box<[u8]>> {
    prop_oneof![
        vec(any::<u8>(), 1..20).prop_map(Into::into),
        "(0x)?[ -~é]{1,10}".prop_map(|text| text.into_bytes().into()),
    ]
}

fn subscriber() -> impl Strategy<Value = Subscriber> {
    let remote_id = || {
        (any::<u32>(), identifier()).prop_map(|(enterprise, value)| -> Box<[u8]> {
            [&enterprise.to_be_bytes()[..], &value].concat().into()
        })
    };
    prop_oneof![
        duid().prop_map(Subscriber::Client),
        (duid(), any::<u32>()).prop_map(|(duid, iaid)| Subscriber::Association(duid, Iaid(iaid))),
        (option::of(duid()), remote_id()).prop_map(|(relay, id)| Subscriber::RemoteId(relay, id)),
        (duid(), identifier()).prop_map(|(relay, id)| Subscriber::InterfaceId(relay, id)),
        (or_usual(1, any::<u16>()), vec(any::<u8>(), 1..=32))
            .prop_map(|(hardware, address)| Subscriber::LinkLayer(hardware, address.into())),
    ]
}

pub(super) fn reservation() -> impl Strategy<Value = Reservation> {
    (subscriber(), any::<bool>(), any::<bool>(), offered()).prop_map(
        |(subscriber, address, prefix, options)| Reservation {
            link: LinkId::default(),
            subscriber,
            addresses: vec![Ipv6Addr::UNSPECIFIED; address.into()],
            prefixes: vec![on_link(0); prefix.into()],
            options,
        },
    )
}

/// Puts each reservation where no other is; those that would keep nothing are left out.
pub(super) fn place_reservations(drawn: Vec<Reservation>, link: &Link, index: u16) -> Vec<Reservation> {
    let mut subscribers = BTreeSet::new();
    let mut placed = Vec::new();
    for (number, mut reservation) in drawn.into_iter().enumerate() {
        let number = number as u16;
        reservation.link = link.id;
        let address = Ipv6Addr::new(0x2001, 0xdb8, 1, index, 0, 0, 1, number);
        reservation.addresses.fill(address);
        let prefix = Ipv6Addr::new(0x2001, 0xdb8, 0xe000 + index, number << 8, 0, 0, 0, 0);
        reservation.prefixes.fill(Prefix::new(prefix, 56).unwrap());
        let keeps = !reservation.addresses.is_empty()
            || !reservation.prefixes.is_empty()
            || !reservation.options.is_empty();
        if keeps && subscribers.insert(reservation.subscriber.clone()) {
            placed.push(reservation);
        }
    }
    placed
}
