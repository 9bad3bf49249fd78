//! Writing a configuration: the text of a file that reads back as what it was made from.
//!
//! Whatever is as it would be without being said is left out. Each part takes its structure apart
//! whole, so that a new field asks to be written.

mod links;
mod options;
mod relay;
mod section;

use std::net::SocketAddrV6;
use std::path::PathBuf;
use std::time::Duration;

use server::exchange::Rules;
use server::leasequery::BulkLimits;
use toml::Value;
use wire::OptionCode;

use super::{AllowRule, Bulk, Config, Dhcp, Leasequery, Udp};
use section::{Section, strings};

const HEADER: &str = "\
# Configuration of Leasehold. examples/leasehold.toml has every key and its default;
# `leasehold check FILE` tells whether this file is good.
";

/// The text of a file for this configuration. Reading it gives an equal one, provided that it could
/// stand in a file: its paths are text, its links do not clash, and what is said of single links
/// and pools stands in their order. Warnings are not written.
pub fn render(config: &Config) -> String {
    let Config { server_id, state, control_socket, dhcp, links, leasequery, relay, warnings: _ } = config;
    let mut text = HEADER.to_owned();
    let mut top = Section::new("");
    top.optional("server-id", server_id.as_ref().map(ToString::to_string));
    let path = |path: &PathBuf| path.to_string_lossy().into_owned();
    top.differing("state", &path(state), &super::DEFAULT_STATE.to_owned());
    top.write(&mut text);
    let mut control = Section::new("\n[control]");
    control.optional("socket", control_socket.as_ref().map(path));
    control.write(&mut text);
    write_leasequery(leasequery, &mut text);
    write_dhcp(dhcp, &mut text);
    links::write(links, dhcp, &mut text);
    if let Some(relay) = relay {
        relay::write(relay, &mut text);
    }
    text
}

fn write_leasequery(leasequery: &Leasequery, text: &mut String) {
    let Leasequery { allow, refuse_silently, sensitive_options, track_relays, udp, bulk } = leasequery;
    let usual = Leasequery::default();
    let mut section = Section::new("\n[leasequery]");
    section.list("allow", allow.iter().map(allow_rule));
    section.differing("refuse-silently", refuse_silently, &usual.refuse_silently);
    section.list("sensitive-options", sensitive_options.iter().map(code));
    section.differing("track-relays", track_relays, &usual.track_relays);
    section.write(text);
    write_udp(udp, &usual.udp, text);
    write_bulk(bulk, &usual.bulk, text);
}

fn allow_rule(rule: &AllowRule) -> Value {
    let AllowRule { from, queries } = rule;
    let mut table = toml::Table::new();
    table.insert("from".to_owned(), from.to_string().into());
    if let Some(queries) = queries {
        table.insert("queries".to_owned(), strings(queries));
    }
    table.into()
}

fn write_udp(udp: &Udp, usual: &Udp, text: &mut String) {
    let Udp { listen, relayed_hops, rate_per_second, burst } = udp;
    let mut section = Section::new("\n[leasequery.udp]");
    write_listen(listen, &usual.listen, &mut section);
    section.differing("relayed-hops", &u32::from(*relayed_hops), &usual.relayed_hops.into());
    section.differing("rate-per-second", rate_per_second, &usual.rate_per_second);
    section.differing("burst", burst, &usual.burst);
    section.write(text);
}

fn write_bulk(bulk: &Bulk, usual: &Bulk, text: &mut String) {
    let Bulk { listen, limits } = bulk;
    let BulkLimits {
        max_connections,
        max_connections_per_requestor,
        max_queries_per_connection,
        max_queries_per_requestor,
        data_timeout,
        idle_timeout,
        close_after_reply,
    } = limits;
    let number = |number: &usize| *number as i64;
    let mut section = Section::new("\n[leasequery.bulk]");
    write_listen(listen, &usual.listen, &mut section);
    let usual = &usual.limits;
    section.differing("max-connections", &number(max_connections), &number(&usual.max_connections));
    if let Some(most) = max_connections_per_requestor {
        section.set("max-connections-per-requestor", number(most));
    }
    section.differing(
        "max-queries-per-connection",
        &number(max_queries_per_connection),
        &number(&usual.max_queries_per_connection),
    );
    section.differing(
        "max-queries-per-requestor",
        &number(max_queries_per_requestor),
        &number(&usual.max_queries_per_requestor),
    );
    section.differing("data-timeout-secs", &secs(data_timeout), &secs(&usual.data_timeout));
    section.differing("idle-timeout-secs", &secs(idle_timeout), &secs(&usual.idle_timeout));
    section.differing("close-after-reply", close_after_reply, &usual.close_after_reply);
    section.write(text);
}

/// An empty list says something: nowhere.
fn write_listen(listen: &[SocketAddrV6], usual: &[SocketAddrV6], section: &mut Section) {
    if listen != usual {
        section.set("listen", strings(listen));
    }
}

fn write_dhcp(dhcp: &Dhcp, text: &mut String) {
    let Dhcp { listen, interfaces, client_port, relay_port, offer_secs, rules, reservations: _ } = dhcp;
    let usual = Dhcp::default();
    let mut section = Section::new("\n[dhcp]");
    write_listen(listen, &usual.listen, &mut section);
    section.list("interfaces", interfaces.iter().map(ToString::to_string));
    section.differing("client-port", &i64::from(*client_port), &usual.client_port.into());
    section.differing("relay-port", &i64::from(*relay_port), &usual.relay_port.into());
    section.differing("offer-secs", offer_secs, &usual.offer_secs);
    add_rules(rules, &usual.rules, &mut section);
    section.write(text);
    options::write("\n[dhcp.options]", &rules.options, text);
}

fn add_rules(rules: &Rules, usual: &Rules, section: &mut Section) {
    let Rules {
        accept_unicast,
        ignored_clients,
        relay_supplied,
        grace_secs,
        remember_secs,
        decline_rest_secs,
        max_leases_per_client,
        max_leases_per_remote_id,
        options: _,
        links: _,
    } = rules;
    section.differing("accept-unicast", accept_unicast, &usual.accept_unicast);
    section.list("ignored-clients", ignored_clients.iter().map(ToString::to_string));
    if *relay_supplied != usual.relay_supplied {
        section.set("relay-supplied-options", Value::Array(relay_supplied.iter().map(code).collect()));
    }
    section.differing("grace-secs", grace_secs, &usual.grace_secs);
    section.differing("remember-secs", remember_secs, &usual.remember_secs);
    section.differing("decline-rest-secs", decline_rest_secs, &usual.decline_rest_secs);
    if *max_leases_per_client != usual.max_leases_per_client {
        section.set("max-leases-per-client", *max_leases_per_client as i64);
    }
    section.optional("max-leases-per-remote-id", max_leases_per_remote_id.map(|leases| leases as i64));
}

fn secs(time: &Duration) -> i64 {
    time.as_secs() as i64
}

/// An option by its name, else its number.
fn code(code: &OptionCode) -> Value {
    code.name().map_or_else(|| Value::from(u32::from(code.0)), Value::from)
}
