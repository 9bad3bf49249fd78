//! What is written reads back: a configuration made up of everything it can hold.
//!
//! Links are made one after another out of ranges of their own, so that none clashes; everything
//! inside them is arbitrary.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::time::Duration;

use lease::{AddressPool, DelegationPool, InterfacePattern, Link, LinkId};
use leasehold::config::{AllowRule, Bulk, Config, Dhcp, Leasequery, Udp, render};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use server::assign::{Reservation, Subscriber};
use server::exchange::{LinkTerms, OfferedOptions, PoolTerms, Rules};
use server::leasequery::BulkLimits;
use wire::leasequery::QueryType;
use wire::{Duid, Iaid, OptionCode, Prefix};

use crate::{EXAMPLE, LINKS, good};

proptest! {
    #[test]
    fn what_is_written_reads_back(config in config()) {
        prop_assert_eq!(good(&render(&config)), config);
    }
}

#[test]
fn what_is_usual_is_left_out() {
    let text = render(&Config::default());
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    assert_eq!(good(&text), Config::default());
}

#[test]
fn files_read_back_as_they_were() {
    for text in [EXAMPLE, LINKS] {
        let config = good(text);
        assert_eq!(good(&render(&config)), config);
    }
}

#[test]
fn what_has_a_key_is_written_with_it() {
    let text = render(&good(EXAMPLE));
    for line in [
        "dns-servers = [\"2001:db8::53\"]",
        "domain-list = [\"example.net\"]",
        "ntp-servers = [\"2001:db8::123\", \"ntp.example.net\"]",
        "information-refresh-time = 86400",
        "preference = 255",
        "interface-id = \"ge-0/0/7\"",
    ] {
        assert!(text.lines().any(|written| written == line), "{line} is not in\n{text}");
    }
    assert!(text.contains("text = \"https://portal.example.net/\""), "{text}");
}

fn config() -> impl Strategy<Value = Config> {
    let links = vec((link(), terms(), vec(reservation(), 0..4)), 0..4);
    let path = || "[a-z/ \"\\\\\n]{1,12}".prop_map(Into::into);
    (option::of(duid()), path(), option::of(path()), dhcp(), leasequery(), links).prop_map(
        |(server_id, state, control_socket, mut dhcp, leasequery, drawn)| {
            let mut links = Vec::new();
            for (index, (link, terms, reservations)) in drawn.into_iter().enumerate() {
                let link = place_link(link, index as u16);
                dhcp.rules.links.insert(link.id, place_terms(terms, &link));
                dhcp.reservations.extend(place_reservations(reservations, &link, index as u16));
                links.push(link);
            }
            let warnings = Vec::new();
            Config { server_id, state, control_socket, dhcp, links, leasequery, warnings }
        },
    )
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
fn or_usual<T: Clone + std::fmt::Debug>(
    usual: T,
    other: impl Strategy<Value = T>,
) -> impl Strategy<Value = T> {
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
    let secs = |range: std::ops::RangeInclusive<u64>| range.prop_map(Duration::from_secs);
    let limits =
        (or_usual(10, count()), count(), count(), secs(300..=86_400), secs(1..=86_400), any::<bool>())
            .prop_map(|(connections, queries, of_requestor, data_timeout, idle_timeout, close)| BulkLimits {
                max_connections: connections,
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

/// Times in the order in which they may run out.
fn terms() -> impl Strategy<Value = LinkTerms> {
    let secs = || prop_oneof![1..=100_000u32, Just(wire::INFINITE)];
    let times = vec(secs(), 4).prop_map(|mut times| {
        times.sort_unstable();
        times
    });
    let given = (any::<bool>(), any::<bool>(), any::<bool>());
    (times, given, any::<bool>(), any::<bool>(), offered(), vec(offered(), 4)).prop_map(
        |(times, (lifetimes, renewal, leave), rapid_commit, bind_on_renew, options, of_pools)| {
            let usual = LinkTerms::default();
            let renew = |secs: u32| renewal.then_some(if leave { 0 } else { secs });
            LinkTerms {
                preferred_secs: if lifetimes || renewal { times[2] } else { usual.preferred_secs },
                valid_secs: if lifetimes || renewal { times[3] } else { usual.valid_secs },
                t1_secs: renew(times[0]),
                t2_secs: renew(times[1]),
                rapid_commit,
                bind_on_renew,
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
fn link() -> impl Strategy<Value = Link> {
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
fn place_link(mut link: Link, index: u16) -> Link {
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
fn place_terms(mut terms: LinkTerms, link: &Link) -> LinkTerms {
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

fn reservation() -> impl Strategy<Value = Reservation> {
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
fn place_reservations(drawn: Vec<Reservation>, link: &Link, index: u16) -> Vec<Reservation> {
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

/// Codes that may be offered and of which the wire format knows nothing more.
fn offered_code() -> impl Strategy<Value = OptionCode> {
    (200..=u16::MAX).prop_map(OptionCode)
}

/// An option that is good, as its code and data.
fn one_option() -> impl Strategy<Value = (OptionCode, Vec<u8>)> {
    let number = |code, range: std::ops::RangeInclusive<u32>| {
        range.prop_map(move |number: u32| (code, number.to_be_bytes().to_vec()))
    };
    let addresses = |code| vec(any::<[u8; 16]>(), 1..3).prop_map(move |all| (code, all.concat()));
    let name = || vec("[a-zA-Z0-9_-]{1,10}", 1..4).prop_map(|labels| wire_name(&labels.join(".")));
    let suboption = |number: u8, data: Vec<u8>| [&[0, number, 0, data.len() as u8][..], &data].concat();
    let ntp = prop_oneof![
        (1..=2u8, any::<[u8; 16]>()).prop_map(move |(number, data)| suboption(number, data.to_vec())),
        name().prop_map(move |name| suboption(3, name)),
        vec(any::<u8>(), 4..5).prop_map(move |data| suboption(9, data)),
    ];
    let vendor =
        (any::<u32>(), vec((0..9u8, vec(any::<u8>(), 0..9)), 0..3)).prop_map(move |(enterprise, options)| {
            let options: Vec<u8> =
                options.into_iter().flat_map(|(code, data)| suboption(code, data)).collect();
            (OptionCode::VENDOR_OPTS, [&enterprise.to_be_bytes()[..], &options].concat())
        });
    prop_oneof![
        addresses(OptionCode::DNS_SERVERS),
        addresses(OptionCode::SNTP_SERVERS),
        vec(name(), 1..3).prop_map(|names| (OptionCode::DOMAIN_LIST, names.concat())),
        number(OptionCode::SOL_MAX_RT, 60..=86_400),
        number(OptionCode::INF_MAX_RT, 60..=86_400),
        number(OptionCode::INFORMATION_REFRESH_TIME, 600..=wire::INFINITE),
        any::<u8>().prop_map(|preference| (OptionCode::PREFERENCE, vec![preference])),
        ntp.prop_map(|data| (OptionCode::NTP_SERVER, data)),
        vendor,
        (offered_code(), vec(any::<u8>(), 0..20)),
        (offered_code(), "[ -~é]{0,20}").prop_map(|(code, text)| (code, text.into_bytes())),
    ]
}

fn wire_name(text: &str) -> Vec<u8> {
    text.parse::<wire::DomainName>().unwrap().octets().to_vec()
}

/// Options with codes of their own, and some of which there are several.
fn offered() -> impl Strategy<Value = OfferedOptions> {
    vec((one_option(), any::<bool>()), 0..4).prop_map(|drawn| {
        let several = [OptionCode::NTP_SERVER, OptionCode::VENDOR_OPTS];
        let mut options = OfferedOptions::default();
        for ((code, data), always) in drawn {
            if options.get(code).is_none() || several.contains(&code) || code.0 >= 200 {
                options.add(code, data);
                if always {
                    options.always(code);
                }
            }
        }
        options
    })
}
