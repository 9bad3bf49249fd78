//! Links, with what is decided for them and kept on them.

use std::collections::BTreeMap;

use lease::{AddressPool, DelegationPool, Link, LinkId};
use server::assign::{Reservation, Subscriber};
use server::exchange::{LinkTerms, OfferedOptions, PoolTerms};
use toml::{Table, Value};

use super::options;
use super::section::{Section, strings};
use crate::config::Dhcp;
use crate::config::lifetimes::show_secs;
use crate::config::octets::{show_hexadecimal, show_identifier};
use crate::config::reservations::ETHERNET;

pub(super) fn write(links: &[Link], dhcp: &Dhcp, text: &mut String) {
    let mut reservations: BTreeMap<LinkId, Vec<&Reservation>> = BTreeMap::new();
    for reservation in &dhcp.reservations {
        reservations.entry(reservation.link).or_default().push(reservation);
    }
    let usual = LinkTerms::default();
    for link in links {
        write_link(link, dhcp.rules.links.get(&link.id).unwrap_or(&usual), text);
        for reservation in reservations.get(&link.id).into_iter().flatten() {
            write_reservation(reservation, text);
        }
    }
}

fn write_link(link: &Link, terms: &LinkTerms, text: &mut String) {
    let Link {
        id,
        name,
        prefixes,
        relay_addresses,
        interface_ids,
        relay_ids,
        interfaces,
        address_pools,
        delegation_pools,
    } = link;
    let mut section = Section::new("\n[[link]]");
    section.set("id", id.0);
    section.set("name", name.clone());
    section.list("prefixes", prefixes.iter().map(ToString::to_string));
    section.list("interfaces", interfaces.iter().map(ToString::to_string));
    section.list("relay-addresses", relay_addresses.iter().map(ToString::to_string));
    section.list("interface-ids", interface_ids.iter().map(|id| show_identifier(id)));
    section.list("relay-ids", relay_ids.iter().map(ToString::to_string));
    add_terms(terms, &mut section);
    section.list("address-pools", address_pools.iter().map(|pool| address_pool(pool, &terms.pools)));
    section.write(text);
    options::write("\n[link.options]", &terms.options, text);
    for pool in delegation_pools {
        write_delegation_pool(pool, &terms.pools, text);
    }
}

fn add_terms(terms: &LinkTerms, section: &mut Section) {
    let LinkTerms {
        preferred_secs,
        valid_secs,
        t1_secs,
        t2_secs,
        rapid_commit,
        bind_on_renew,
        reconfigure,
        options: _,
        pools: _,
    } = terms;
    let usual = LinkTerms::default();
    section.differing(
        "preferred-lifetime-secs",
        &show_secs(*preferred_secs),
        &show_secs(usual.preferred_secs),
    );
    section.differing("valid-lifetime-secs", &show_secs(*valid_secs), &show_secs(usual.valid_secs));
    section.optional("t1-secs", t1_secs.map(show_secs));
    section.optional("t2-secs", t2_secs.map(show_secs));
    section.differing("rapid-commit", rapid_commit, &usual.rapid_commit);
    section.differing("bind-on-renew", bind_on_renew, &usual.bind_on_renew);
    section.differing("reconfigure", reconfigure, &usual.reconfigure);
}

/// A range alone, or in a table with its options.
fn address_pool(pool: &AddressPool, terms: &[PoolTerms]) -> Value {
    let AddressPool { first, last } = pool;
    let range = Value::from(format!("{first} - {last}"));
    let of_pool = terms.iter().find(|terms| terms.first == *first && terms.last == *last);
    let Some(PoolTerms { options, .. }) = of_pool else { return range };
    Table::from_iter([("range".to_owned(), range), options_entry(options)]).into()
}

fn write_delegation_pool(pool: &DelegationPool, terms: &[PoolTerms], text: &mut String) {
    let DelegationPool { prefix, delegated_length, excluded } = pool;
    let mut section = Section::new("\n[[link.delegation-pools]]");
    section.set("prefix", prefix.to_string());
    section.set("delegated-length", u32::from(*delegated_length));
    section.optional("excluded-prefix", excluded.map(|excluded| excluded.to_string()));
    let is_pool = |terms: &&PoolTerms| terms.first == prefix.address() && terms.last == prefix.last_address();
    section.optional("options", terms.iter().find(is_pool).map(|terms| options::table(&terms.options)));
    section.write(text);
}

fn options_entry(options: &OfferedOptions) -> (String, Value) {
    ("options".to_owned(), options::table(options).into())
}

fn write_reservation(reservation: &Reservation, text: &mut String) {
    let Reservation { link: _, subscriber, addresses, prefixes, options } = reservation;
    let mut section = Section::new("\n[[link.reservations]]");
    add_subscriber(subscriber, &mut section);
    if !addresses.is_empty() {
        section.set("addresses", strings(addresses));
    }
    if !prefixes.is_empty() {
        section.set("prefixes", strings(prefixes));
    }
    section.optional("options", (!options.is_empty()).then(|| options::table(options)));
    section.write(text);
}

fn add_subscriber(subscriber: &Subscriber, section: &mut Section) {
    match subscriber {
        Subscriber::Client(duid) => section.set("duid", duid.to_string()),
        Subscriber::Association(duid, iaid) => {
            section.set("duid", duid.to_string());
            section.set("iaid", iaid.0);
        }
        Subscriber::RemoteId(relay, remote_id) => {
            section.optional("relay-id", relay.as_ref().map(ToString::to_string));
            section.set("remote-id", show_remote_id(remote_id));
        }
        Subscriber::InterfaceId(relay, interface_id) => {
            section.set("relay-id", relay.to_string());
            section.set("interface-id", show_identifier(interface_id));
        }
        Subscriber::LinkLayer(hardware, address) => {
            section.set("link-layer", show_hexadecimal(":", address));
            if *hardware != ETHERNET {
                section.set("link-layer-type", u32::from(*hardware));
            }
        }
    }
}

fn show_remote_id(remote_id: &[u8]) -> Table {
    let (enterprise, value) = remote_id.split_first_chunk().unwrap_or((&[0; 4], remote_id));
    Table::from_iter([
        ("enterprise".to_owned(), Value::from(u32::from_be_bytes(*enterprise))),
        ("value".to_owned(), Value::from(show_identifier(value))),
    ])
}
