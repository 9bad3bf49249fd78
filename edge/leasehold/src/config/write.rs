//! Writing a configuration: the text of a file that reads back as what it was made from.

use std::fmt::{Display, Write};

use lease::{AddressPool, DelegationPool, Link};
use wire::Duid;

const HEADER: &str = "\
# Configuration of Leasehold. examples/leasehold.toml has every key and its default;
# `leasehold check FILE` tells whether this file is good.
";

const ALLOW: &str = "
# Only this host may ask. Add those who need to: { from = \"2001:db8:ffff::/48\" }
[leasequery]
allow = [{ from = \"::1/128\" }]
";

/// The text of a file for these links, in which this host alone may ask. Reading it gives the
/// links, the server id and the state folder as they were, provided that they could stand in one
/// file.
pub fn render(server_id: Option<&Duid>, state: &str, links: &[Link]) -> String {
    let mut text = HEADER.to_owned();
    if let Some(server_id) = server_id {
        line(&mut text, "server-id", &quoted(server_id));
    }
    line(&mut text, "state", &quoted(state));
    text += ALLOW;
    for link in links {
        write_link(&mut text, link);
    }
    text
}

fn write_link(text: &mut String, link: &Link) {
    let Link { id, name, prefixes, relay_addresses, address_pools, delegation_pools, .. } = link;
    *text += "\n[[link]]\n";
    line(text, "id", &id.to_string());
    line(text, "name", &quoted(name));
    write_list(text, "prefixes", prefixes);
    write_list(text, "relay-addresses", relay_addresses);
    write_list(text, "address-pools", address_pools.iter().map(range));
    for pool in delegation_pools {
        write_delegation_pool(text, pool);
    }
}

fn write_delegation_pool(text: &mut String, pool: &DelegationPool) {
    let DelegationPool { prefix, delegated_length, excluded } = pool;
    *text += "\n[[link.delegation-pools]]\n";
    line(text, "prefix", &quoted(prefix));
    line(text, "delegated-length", &delegated_length.to_string());
    if let Some(excluded) = excluded {
        line(text, "excluded-prefix", &quoted(excluded));
    }
}

fn range(pool: &AddressPool) -> String {
    let AddressPool { first, last } = pool;
    format!("{first} - {last}")
}

fn write_list(text: &mut String, key: &str, values: impl IntoIterator<Item = impl Display>) {
    let values: Vec<String> = values.into_iter().map(quoted).collect();
    if !values.is_empty() {
        line(text, key, &format!("[{}]", values.join(", ")));
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    writeln!(text, "{key} = {value}").expect("a String takes all that is written");
}

/// A TOML string, with what needs escaping escaped.
fn quoted(value: impl Display) -> String {
    toml::Value::String(value.to_string()).to_string()
}
