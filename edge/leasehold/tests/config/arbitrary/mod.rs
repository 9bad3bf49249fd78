//! Arbitrary configurations that are good.
//!
//! Links are made one after another out of ranges of their own, so that none clashes; everything
//! inside them is arbitrary.

mod links;
mod options;
mod relay;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::ops::RangeInclusive;
use std::time::Duration;

use lease::InterfacePattern;
use leasehold::config::{AllowRule, Bulk, Config, Dhcp, Leasequery, Udp};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use server::exchange::Rules;
use server::leasequery::BulkLimits;
use wire::leasequery::QueryType;
use wire::{Duid, OptionCode, Prefix};

use links::{link, place_link, place_reservations, place_terms, reservation, terms};
use options::{offered, offered_code};
use relay::relay;

/// Any configuration without a clash, and without a warning.
pub(crate) fn config() -> impl Strategy<Value = Config> {
    let links = vec((link(), terms(), vec(reservation(), 0..4)), 0..4);
    let path = || "[a-z/ \"\\\\\n]{1,12}".prop_map(Into::into);
    (option::of(duid()), path(), option::of(path()), dhcp(), leasequery(), links, option::of(relay()))
        .prop_map(|(server_id, state, control_socket, mut dhcp, leasequery, drawn, relay)| {
            let mut links = Vec::new();
            for (index, (link, terms, reservations)) in drawn.into_iter().enumerate() {
                let link = place_link(link, index as u16);
                dhcp.rules.links.insert(link.id, place_terms(terms, &link));
                dhcp.reservations.extend(place_reservations(reservations, &link, index as u16));
                links.push(link);
            }
            let warnings = Vec::new();
            Config { server_id, state, control_socket, dhcp, links, leasequery, relay, warnings }
        })
}

fn duid() -> impl Strategy<Value = Duid> {
    vec(any::<u8>(), 3..=130).prop_map(|octets| Duid::new(&octets).unwrap())
}

fn sockets() -> impl Strategy<Value = Vec<SocketAddrV6>> {
    let socket = (any::<u128>(), 1..=u16::MAX)
        .prop_map(|(bits, port)| SocketAddrV6::new(Ipv6Addr::from_bits(bits), port, 0, 0));
    btree_set(socket, 0..3).prop_map(|sockets| sockets.into_iter().collect())
}

/// Often the usual value, which is then left out.
fn or_usual<T: Clone + Debug>(usual: T, other: impl Strategy<Value = T>) -> impl Strategy<Value = T> {
    prop_oneof![Just(usual), other]
}

fn leasequery() -> impl Strategy<Value = Leasequery> {
    let queries = prop::sample::subsequence(vec![QueryType::BY_ADDRESS, QueryType::BY_RELAY_ID], 1..=2);
    let allow = (any::<u128>(), 0..=128u8, option::of(queries)).prop_map(|(bits, length, queries)| {
        AllowRule { from: Prefix::new(Ipv6Addr::from_bits(bits), length).unwrap(), queries }
    });
    let sensitive = vec((100..=u16::MAX).prop_map(OptionCode), 0..3);
    (vec(allow, 0..3), any::<bool>(), sensitive, any::<bool>(), udp(), bulk()).prop_map(
        |(allow, refuse_silently, mut sensitive_options, track_relays, udp, bulk)| {
            sensitive_options.extend(refuse_silently.then_some(OptionCode::CLIENT_FQDN));
            Leasequery { allow, refuse_silently, sensitive_options, track_relays, udp, bulk }
        },
    )
}

fn udp() -> impl Strategy<Value = Udp> {
    let usual = Udp::default();
    (or_usual(usual.listen, sockets()), 0..=32u8, or_usual(1000, 1..=1_000_000u32), 1..=1_000_000u32)
        .prop_map(|(listen, relayed_hops, rate_per_second, burst)| Udp {
            listen,
            relayed_hops,
            rate_per_second,
            burst,
        })
}

fn bulk() -> impl Strategy<Value = Bulk> {
    let count = || 1..=65_536usize;
    let listen = or_usual(Bulk::default().listen, sockets());
    let secs = |range: RangeInclusive<u64>| range.prop_map(Duration::from_secs);
    let connections = (or_usual(10, count()), option::of(count()));
    let limits = (connections, count(), count(), secs(300..=86_400), secs(1..=86_400), any::<bool>())
        .prop_map(|(connections, queries, of_requestor, data_timeout, idle_timeout, close)| BulkLimits {
            max_connections: connections.0,
            max_connections_per_requestor: connections.1,
            max_queries_per_connection: queries,
            max_queries_per_requestor: of_requestor,
            data_timeout,
            idle_timeout,
            close_after_reply: close,
        });
    (listen, limits).prop_map(|(listen, limits)| Bulk { listen, limits })
}

fn dhcp() -> impl Strategy<Value = Dhcp> {
    let usual = Dhcp::default();
    let interfaces = vec("[a-z0-9*?.]{1,15}".prop_map(InterfacePattern), 0..3);
    let ports = (or_usual(546, 1..=u16::MAX), or_usual(547, 1..=u16::MAX));
    (or_usual(usual.listen, sockets()), interfaces, ports, 1..=3_600u32, rules()).prop_map(
        |(listen, interfaces, (client_port, relay_port), offer_secs, rules)| Dhcp {
            listen,
            interfaces,
            client_port,
            relay_port,
            offer_secs,
            rules,
            reservations: Vec::new(),
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    let usual = Rules::default();
    let keeping = || 0..=315_360_000u32;
    let relay_supplied = btree_set(offered_code(), 0..3);
    let limits = (or_usual(64, 1..=1_000usize), option::of(1..=1_000_000usize));
    let times = (or_usual(0, keeping()), or_usual(604_800, keeping()), or_usual(86_400, keeping()));
    let ignored = btree_set(duid(), 0..3);
    (any::<bool>(), ignored, or_usual(usual.relay_supplied, relay_supplied), times, limits, offered())
        .prop_map(|(accept_unicast, ignored_clients, relay_supplied, times, limits, options)| Rules {
            accept_unicast,
            ignored_clients,
            relay_supplied,
            grace_secs: times.0,
            remember_secs: times.1,
            decline_rest_secs: times.2,
            max_leases_per_client: limits.0,
            max_leases_per_remote_id: limits.1,
            options,
            links: BTreeMap::new(),
        })
}
