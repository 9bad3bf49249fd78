//! The relay.

use std::time::Duration;

use lease::InterfacePattern;
use relay::PortRules;
use toml::{Table, Value};

use super::options::show_data;
use super::section::{Section, strings};
use super::{code, secs};
use crate::config::relay::{
    ClientInterfaces, FAMILIES, Filter, FilterFamily, LOOP_POLICIES, LinkAddress, MODES, Mode, Recovery,
    Relay, RemoteId, RouteTable, Routes, Server, SuppliedOption, show_location,
};

pub(super) fn write(relay: &Relay, text: &mut String) {
    let Relay {
        mode,
        relay_id,
        sends_relay_id,
        listen_port,
        source_port,
        client_port,
        client_link_layer_address,
        refuses_supplied_options,
        echo_request,
        supplied_options,
        unique_clients,
        upstream,
        listed_servers_only,
        servers,
        recovery,
        routes,
        interfaces,
    } = relay;
    let usual = Relay::default();
    let mut section = Section::new("\n[relay]");
    section.differing("mode", &word(&MODES, mode), &word(&MODES, &usual.mode));
    section.optional("relay-id", relay_id.as_ref().map(ToString::to_string));
    section.differing("send-relay-id", sends_relay_id, &usual.sends_relay_id);
    let port = |port: &u16| i64::from(*port);
    section.differing("listen-port", &port(listen_port), &port(&usual.listen_port));
    section.differing("source-port", &port(source_port), &port(listen_port));
    section.differing("client-port", &port(client_port), &port(&usual.client_port));
    let usual_address = &usual.client_link_layer_address;
    section.differing("client-link-layer-address", client_link_layer_address, usual_address);
    section.differing("refuse-supplied-options", refuses_supplied_options, &usual.refuses_supplied_options);
    section.list("echo-request", echo_request.iter().map(code));
    section.list("supplied-options", supplied_options.iter().map(supplied_option));
    section.differing("unique-clients", unique_clients, &usual.unique_clients);
    section.write(text);
    write_upstream(upstream, *listed_servers_only, text);
    if *mode == Mode::Routed {
        if *servers != usual.servers {
            servers.iter().for_each(|server| write_server(server, text));
        }
        write_recovery(recovery, text);
        write_routes(routes.as_ref(), text);
    }
    interfaces.iter().for_each(|interfaces| write_interfaces(interfaces, *mode, text));
}

/// What stands for a meaning.
fn word<T: PartialEq>(words: &[(&'static str, T)], meaning: &T) -> String {
    let word = words.iter().find(|(_, other)| other == meaning);
    word.map(|(word, _)| (*word).to_owned()).expect("there is a word for each")
}

fn supplied_option(option: &SuppliedOption) -> Value {
    let SuppliedOption { code: number, data } = option;
    Table::from_iter([("code".to_owned(), code(number)), show_data(data)]).into()
}

fn write_upstream(interfaces: &[InterfacePattern], listed_servers_only: bool, text: &mut String) {
    let mut section = Section::new("\n[relay.upstream]");
    section.list("interfaces", interfaces.iter().map(ToString::to_string));
    section.differing("listed-servers-only", &listed_servers_only, &false);
    section.write(text);
}

fn write_server(server: &Server, text: &mut String) {
    let Server { name, address, interface, forwards, leasequery, from } = server;
    let mut section = Section::new("\n[[relay.server]]");
    section.optional("name", name.clone());
    section.set("address", show_location(*address, interface.as_deref()));
    section.differing("forward", forwards, &true);
    if *leasequery != Server::at(*address).leasequery {
        section.set(
            "leasequery",
            match leasequery {
                None => Value::from(false),
                Some(asked) => {
                    let interface = interface.as_deref().filter(|_| asked.ip().is_unicast_link_local());
                    Value::from(show_location(*asked, interface))
                }
            },
        );
    }
    section.optional("from", from.map(|from| from.to_string()));
    section.write(text);
}

fn write_recovery(recovery: &Recovery, text: &mut String) {
    let Recovery { ask_by, refresh, data_timeout, retry_max, remembers } = recovery;
    let usual = Recovery::default();
    let mut section = Section::new("\n[relay.recovery]");
    if *ask_by != usual.ask_by {
        section.set("ask-by", strings(ask_by));
    }
    section.differing("refresh-secs", &or_never(refresh), &or_never(&usual.refresh));
    section.differing("data-timeout-secs", &secs(data_timeout), &secs(&usual.data_timeout));
    section.differing("retry-max-secs", &secs(retry_max), &secs(&usual.retry_max));
    section.differing("remember", remembers, &usual.remembers);
    section.write(text);
}

fn or_never(time: &Option<Duration>) -> i64 {
    time.as_ref().map_or(0, secs)
}

fn write_routes(routes: Option<&Routes>, text: &mut String) {
    let mut section = Section::new("\n[relay.routes]");
    match routes {
        None => section.set("enabled", false),
        Some(routes) => add_routes(routes, &mut section),
    }
    section.write(text);
}

fn add_routes(routes: &Routes, section: &mut Section) {
    let Routes {
        aggregates,
        host_routes,
        protocol,
        metric,
        table,
        unreachable_aggregates,
        reconcile,
        filter,
        loops,
    } = routes;
    let usual = Routes::default();
    section.list("aggregates", aggregates.iter().map(ToString::to_string));
    section.differing("host-routes", host_routes, &usual.host_routes);
    section.differing("protocol", &i64::from(*protocol), &i64::from(usual.protocol));
    section.differing("metric", metric, &usual.metric);
    match table {
        table if *table == usual.table => {}
        RouteTable::Number(number) => section.set("table", *number),
        RouteTable::Vrf(device) => section.set("vrf", device.clone()),
    }
    section.differing("unreachable-aggregates", unreachable_aggregates, &usual.unreachable_aggregates);
    section.differing("reconcile-secs", &or_never(reconcile), &or_never(&usual.reconcile));
    section.optional("filter", filter.as_ref().map(show_filter));
    section.differing("loops", &word(&LOOP_POLICIES, loops), &word(&LOOP_POLICIES, &usual.loops));
}

fn show_filter(filter: &Filter) -> Table {
    let Filter { family, table, set } = filter;
    let family = (*family != FilterFamily::Inet).then(|| ("family", word(&FAMILIES, family)));
    let names = [("table", table.clone()), ("set", set.clone())];
    family.into_iter().chain(names).map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}

fn write_interfaces(interfaces: &ClientInterfaces, mode: Mode, text: &mut String) {
    let ClientInterfaces {
        names,
        interface_id,
        remote_id,
        subscriber_id,
        link_address,
        rules,
        messages_per_second,
    } = interfaces;
    let usual = ClientInterfaces::usual(Vec::new(), mode);
    let mut section = Section::new("\n[[relay.interface]]");
    section.list("names", names.iter().map(ToString::to_string));
    section.differing("interface-id", &interface_id.to_string(), &usual.interface_id.to_string());
    section.optional("remote-id", remote_id.as_ref().map(show_remote_id));
    section.optional("subscriber-id", subscriber_id.as_ref().map(ToString::to_string));
    match link_address {
        LinkAddress::Lowest => {}
        LinkAddress::Within(prefix) => section.set("link-address", prefix.to_string()),
        LinkAddress::Fixed(address) => section.set("link-address", address.to_string()),
    }
    add_rules(rules, &usual.rules, &mut section);
    let rate = |rate: &Option<u32>| i64::from(rate.unwrap_or(0));
    section.differing("messages-per-second", &rate(messages_per_second), &rate(&usual.messages_per_second));
    section.write(text);
}

fn show_remote_id(remote_id: &RemoteId) -> Table {
    let RemoteId { enterprise, value } = remote_id;
    Table::from_iter([
        ("enterprise".to_owned(), Value::from(*enterprise)),
        ("value".to_owned(), Value::from(value.to_string())),
    ])
}

fn add_rules(rules: &PortRules, usual: &PortRules, section: &mut Section) {
    let PortRules {
        accepts_relays,
        accepts_leasequery,
        accepts_unicast,
        max_delegations_per_client,
        max_delegations,
    } = rules;
    section.differing("accept-relays", accepts_relays, &usual.accepts_relays);
    section.differing("accept-leasequery", accepts_leasequery, &usual.accepts_leasequery);
    section.differing("accept-unicast", accepts_unicast, &usual.accepts_unicast);
    let number = |number: &usize| *number as i64;
    section.differing("max-delegations", &number(max_delegations), &number(&usual.max_delegations));
    section.differing(
        "max-delegations-per-client",
        &number(max_delegations_per_client),
        &number(&usual.max_delegations_per_client),
    );
}
