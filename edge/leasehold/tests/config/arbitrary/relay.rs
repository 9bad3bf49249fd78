//! The relay: interfaces and servers one after another, each with a name and an address of its own.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::time::Duration;

use lease::InterfacePattern;
use leasehold::config::relay::{
    ClientInterfaces, Filter, FilterFamily, LinkAddress, LoopPolicy, Mode, Recovery, Relay, RemoteId,
    RouteTable, Routes, Server, SuppliedOption,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use relay::Template;
use wire::leasequery::QueryType;
use wire::{OptionCode, Prefix};

use super::{duid, or_usual};

/// A relay without a clash, and one of which nothing has to be warned.
pub(super) fn relay() -> impl Strategy<Value = Relay> {
    let parts = (servers(), recovery(), option::of(routes()), vec(interfaces(), 1..4));
    (general(), prop_oneof![3 => Just(Mode::Routed), 1 => Just(Mode::Lightweight)], parts).prop_map(
        |(general, mode, (servers, recovery, routes, interfaces))| {
            let interfaces = interfaces.into_iter().enumerate();
            let interfaces: Vec<_> =
                interfaces.map(|(index, section)| place_interfaces(section, mode, index)).collect();
            match mode {
                Mode::Routed => consistent(Relay { servers, recovery, routes, interfaces, ..general }),
                Mode::Lightweight => Relay { mode, interfaces, ..lightweight(general) },
            }
        },
    )
}

/// What is neither of interfaces nor of servers.
fn general() -> impl Strategy<Value = Relay> {
    let port = || 1..=u16::MAX;
    let ports = (or_usual(547, port()), option::of(port()), or_usual(546, port()));
    let echoed = btree_set((100..=134u16).prop_map(OptionCode), 0..3);
    let supplied = option::of(vec(any::<u8>(), 0..9)).prop_map(|data| {
        let code = OptionCode::ERP_LOCAL_DOMAIN_NAME;
        data.map(|data| SuppliedOption { code, data: data.into() }).into_iter().collect()
    });
    (option::of(duid()), ports, any::<[bool; 5]>(), echoed, supplied, 1..3usize).prop_map(
        |(
            relay_id,
            (listen_port, source_port, client_port),
            switches,
            echoed,
            supplied_options,
            upstream,
        )| {
            let [sends_relay_id, client_link_layer_address, refuses, unique_clients, listed_servers_only] =
                switches;
            Relay {
                relay_id,
                sends_relay_id,
                listen_port,
                source_port: source_port.unwrap_or(listen_port),
                client_port,
                client_link_layer_address,
                refuses_supplied_options: refuses,
                echo_request: echoed.into_iter().collect(),
                supplied_options,
                unique_clients,
                upstream: (0..upstream).map(|index| InterfacePattern(format!("up{index}*"))).collect(),
                listed_servers_only,
                ..Relay::default()
            }
        },
    )
}

fn lightweight(general: Relay) -> Relay {
    let Relay { listen_port, source_port, client_port, .. } = Relay::default();
    let (unique_clients, listed_servers_only) = (false, false);
    let (servers, routes) = (Vec::new(), None);
    Relay {
        listen_port,
        source_port,
        client_port,
        unique_clients,
        listed_servers_only,
        servers,
        routes,
        ..general
    }
}

/// Asks for nothing that servers cannot know, and hears groups where there are some.
fn consistent(mut relay: Relay) -> Relay {
    relay.sends_relay_id |= relay.recovery.ask_by.contains(&QueryType::BY_RELAY_ID);
    if relay.recovery.ask_by.contains(&QueryType::BY_REMOTE_ID) {
        relay.interfaces[0].remote_id.get_or_insert(RemoteId { enterprise: 9, value: Template::default() });
    }
    relay.listed_servers_only &= !relay.servers.iter().any(|server| server.address.ip().is_multicast());
    relay
}

fn servers() -> impl Strategy<Value = Vec<Server>> {
    let socket = (any::<u16>(), or_usual(547, 1..=u16::MAX));
    let asked =
        prop_oneof![2 => Just(None), 1 => Just(Some(None)), 1 => socket.prop_map(Some).prop_map(Some)];
    let server = (0..3usize, or_usual(547, 1..=u16::MAX), asked, any::<[bool; 4]>());
    vec(server, 0..4).prop_map(|drawn| {
        let mut servers = vec![Server::at(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 547, 0, 0))];
        servers.extend(drawn.into_iter().enumerate().map(|(index, (kind, port, asked, switches))| {
            let number = index as u16;
            let [named, everywhere, forwards, from] = switches;
            let net = [0x2001, 0xfe80, 0xff05][kind];
            let mut server =
                Server::at(SocketAddrV6::new(Ipv6Addr::new(net, 0, 0, 0, 0, 0, 1, number), port, 0, 0));
            server.name = named.then(|| format!("server-{index}"));
            let on_link = kind == 1 || kind == 2 && !everywhere;
            server.interface = on_link.then(|| format!("up{index}"));
            if let Some(asked) = asked {
                let net = if on_link { 0xfe80 } else { 0x2001 };
                let at =
                    |(host, port)| SocketAddrV6::new(Ipv6Addr::new(net, 0, 0, 0, 0, 0, 2, host), port, 0, 0);
                server.leasequery = asked.map(at);
            }
            server.forwards = forwards || server.leasequery.is_none();
            server.from = server.leasequery.filter(|_| from).map(|_| Ipv6Addr::LOCALHOST);
            server
        }));
        servers
    })
}

fn recovery() -> impl Strategy<Value = Recovery> {
    let all = vec![QueryType::BY_RELAY_ID, QueryType::BY_LINK_ADDRESS, QueryType::BY_REMOTE_ID];
    let ask_by = prop::sample::subsequence(all, 1..=3).prop_shuffle();
    let secs = Duration::from_secs;
    (
        ask_by,
        option::of(1..=604_800u64),
        or_usual(300, 300..=86_400u64),
        or_usual(60, 1..=60u64),
        any::<bool>(),
    )
        .prop_map(move |(ask_by, refresh, data_timeout, retry_max, remembers)| Recovery {
            ask_by,
            refresh: refresh.map(secs),
            data_timeout: secs(data_timeout),
            retry_max: secs(retry_max),
            remembers,
        })
}

fn routes() -> impl Strategy<Value = Routes> {
    let aggregates = vec(20..=64u8, 1..4).prop_map(|lengths| {
        let aggregate = |(index, length): (usize, u8)| {
            let address = Ipv6Addr::new(0x2001 + ((index as u16) << 12), 0, 0, 0, 0, 0, 0, 0);
            Prefix::new(address, length).unwrap()
        };
        lengths.into_iter().enumerate().map(aggregate).collect()
    });
    let table = prop_oneof![
        (1..=u32::MAX).prop_filter("is local", |table| *table != 255).prop_map(RouteTable::Number),
        "[a-z0-9.]{1,15}".prop_map(RouteTable::Vrf),
    ];
    let table = or_usual(RouteTable::Number(254), table);
    let family = prop_oneof![Just(FilterFamily::Inet), Just(FilterFamily::Ip6)];
    let filter = (family, "[a-zA-Z][a-z0-9_.-]{0,9}", "[a-zA-Z][a-z0-9_.-]{0,9}")
        .prop_map(|(family, table, set)| Filter { family, table, set });
    let loops = prop_oneof![Just(LoopPolicy::Off), Just(LoopPolicy::Drop), Just(LoopPolicy::Reject)];
    let numbers = (or_usual(220, 200..=254u8), or_usual(512, 1..=u32::MAX), option::of(1..=86_400u64));
    (aggregates, any::<[bool; 2]>(), table, option::of(filter), loops, numbers).prop_map(
        |(aggregates, [host_routes, unreachable_aggregates], table, filter, loops, numbers)| Routes {
            aggregates,
            host_routes,
            protocol: numbers.0,
            metric: numbers.1,
            table,
            unreachable_aggregates,
            reconcile: numbers.2.map(Duration::from_secs),
            filter,
            loops,
        },
    )
}

fn template() -> impl Strategy<Value = Template> {
    let text =
        prop_oneof!["[ -z|~é]{1,20}", "\\{(interface|mac|vlan)\\}[a-z{]{0}.{0,5}", "0x([0-9a-f]{2}){1,9}"];
    text.prop_filter_map("is no template", |text| text.parse().ok())
}

fn interfaces() -> impl Strategy<Value = ClientInterfaces> {
    let address = (any::<u64>(), 1..=128u8).prop_map(|(bits, length)| {
        let address = Ipv6Addr::from_bits(u128::from(bits) | 0x2001 << 112);
        let masked = address.to_bits() & u128::MAX << (128 - length);
        (address, Prefix::new(Ipv6Addr::from_bits(masked), length).unwrap())
    });
    let link_address = prop_oneof![
        Just(LinkAddress::Lowest),
        address.clone().prop_map(|(_, prefix)| LinkAddress::Within(prefix)),
        address.prop_map(|(address, _)| LinkAddress::Fixed(address)),
    ];
    let remote_id = (any::<u32>(), template()).prop_map(|(enterprise, value)| RemoteId { enterprise, value });
    let limits = (or_usual(65_536, 1..=16_777_216usize), or_usual(8, 1..=16_777_216usize));
    let rate = option::of(1..=1_000_000u32);
    let identifiers = (option::of(template()), option::of(remote_id), option::of(template()));
    (identifiers, link_address, any::<[bool; 3]>(), limits, rate, any::<bool>()).prop_map(
        |((interface_id, remote_id, subscriber_id), link_address, switches, limits, rate, several)| {
            let names = vec![InterfacePattern(if several { "vlan*" } else { "eth" }.to_owned())];
            let mut section = ClientInterfaces::usual(names, Mode::Routed);
            section.interface_id = interface_id.filter(|_| !several).unwrap_or_default();
            (section.remote_id, section.subscriber_id) = (remote_id, subscriber_id);
            section.link_address = link_address;
            [section.rules.accepts_relays, section.rules.accepts_leasequery, section.rules.accepts_unicast] =
                switches;
            (section.rules.max_delegations, section.rules.max_delegations_per_client) = limits;
            section.messages_per_second = rate;
            section
        },
    )
}

/// Gives a section names that no other has, and takes from it what its mode does not know.
fn place_interfaces(mut section: ClientInterfaces, mode: Mode, index: usize) -> ClientInterfaces {
    for InterfacePattern(name) in &mut section.names {
        *name = format!("{index}{name}");
    }
    let usual = ClientInterfaces::usual(Vec::new(), mode);
    if mode == Mode::Routed {
        section.messages_per_second = usual.messages_per_second;
    } else {
        section.link_address = usual.link_address;
        section.rules.accepts_unicast = usual.rules.accepts_unicast;
        section.rules.max_delegations = usual.rules.max_delegations;
        section.rules.max_delegations_per_client = usual.rules.max_delegations_per_client;
    }
    section
}
