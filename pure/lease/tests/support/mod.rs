//! Clients to put into a table, by number and in few words.

#![allow(dead_code, reason = "each file of tests needs its own part of it")]

use std::net::Ipv6Addr;

use lease::{
    Binding, Client, ClientKey, ClientView, Cursor, Heard, IaKind, Identifier, Lease, LeaseState, LinkId,
    RelayPath, Resource, Search, Table,
};
use wire::{Duid, Iaid, OptionCode, Writer};

/// 2024-01-01T00:00:00Z: when everything here is granted and heard, unless a test says otherwise.
pub(crate) const GRANTED_UNIX_SECS: u64 = 1_704_067_200;

/// One relay on a path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hop {
    pub(crate) relay_id: Option<Duid>,
    pub(crate) remote_id: Option<Vec<u8>>,
}

/// The DUID of a client or relay with this number.
pub(crate) fn duid(number: u32) -> Duid {
    Duid::new(&[&[0, 2, 0, 0, 0x8b, 0xad], number.to_be_bytes().as_slice()].concat()).unwrap()
}

/// The key of a client.
pub(crate) fn key(number: u32, link: u32) -> ClientKey {
    ClientKey { link: LinkId(link), duid: duid(number) }
}

/// A client that came directly and holds these addresses and prefixes for two hours.
pub(crate) fn client(number: u32, link: u32, resources: &[&str]) -> Client {
    let (prefixes, addresses): (Vec<&str>, Vec<&str>) = resources.iter().partition(|text| text.contains('/'));
    let bindings = [(IaKind::Address, addresses), (IaKind::Prefix, prefixes)];
    let bindings = bindings.into_iter().filter(|(_, texts)| !texts.is_empty()).map(|(kind, texts)| Binding {
        kind,
        iaid: Iaid(1),
        leases: texts.into_iter().map(|text| lease(resource(text), 7200)).collect(),
    });
    Client {
        key: key(number, link),
        heard: Heard { at_unix_secs: GRANTED_UNIX_SECS, path: None },
        options: Vec::new(),
        reconfigure: None,
        bindings: bindings.collect(),
    }
}

/// An active lease.
pub(crate) fn lease(resource: Resource, valid_secs: u32) -> Lease {
    Lease {
        resource,
        state: LeaseState::Active,
        granted_unix_secs: GRANTED_UNIX_SECS,
        preferred_secs: valid_secs / 2,
        valid_secs,
        excluded: None,
    }
}

/// An address or, with a slash, a prefix.
pub(crate) fn resource(text: &str) -> Resource {
    if text.contains('/') {
        Resource::Prefix(text.parse().unwrap())
    } else {
        Resource::Address(text.parse().unwrap())
    }
}

/// The same client, last heard through these relays, outermost first.
pub(crate) fn through(client: Client, hops: &[Hop]) -> Client {
    let path = Some(path(hops));
    Client { heard: Heard { path, ..client.heard }, ..client }
}

/// A relay that names itself, and the line that the client is on.
pub(crate) fn hop(relay: Option<u32>, remote_id: Option<&[u8]>) -> Hop {
    Hop { relay_id: relay.map(duid), remote_id: remote_id.map(<[u8]>::to_vec) }
}

/// The path through these relays, outermost first.
pub(crate) fn path(hops: &[Hop]) -> RelayPath {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    write_hops(hops, &mut writer);
    writer.finish().unwrap();
    RelayPath::new("fe80::547".parse().unwrap(), &octets).unwrap()
}

fn write_hops(hops: &[Hop], writer: &mut Writer<'_>) {
    let (outermost, inner) = hops.split_first().unwrap();
    writer.bytes(&[12, inner.len() as u8]);
    writer.address("2001:db8:ffff::1".parse().unwrap());
    writer.address("fe80::1".parse().unwrap());
    if let Some(relay_id) = &outermost.relay_id {
        writer.raw_option(OptionCode::RELAY_ID, relay_id.octets());
    }
    if !inner.is_empty() {
        writer.option(OptionCode::RELAY_MSG, |w| write_hops(inner, w));
    }
    if let Some(remote_id) = &outermost.remote_id {
        writer.raw_option(OptionCode::REMOTE_ID, remote_id);
    }
}

/// Those with this DUID, on any link.
pub(crate) fn by_client(number: u32) -> Search {
    Search::everywhere(Identifier::Client(duid(number)))
}

/// Those behind the relay with this number.
pub(crate) fn by_relay(number: u32) -> Search {
    Search::everywhere(Identifier::Relay(duid(number)))
}

/// Those with this Remote-ID.
pub(crate) fn by_remote(octets: &[u8]) -> Search {
    Search::everywhere(Identifier::Remote(octets.into()))
}

/// Keys of everything that a search finds.
pub(crate) fn found(table: &Table, search: &Search) -> Vec<ClientKey> {
    table.search(search, Cursor::START).map(|(_, client)| key_of(&client)).collect()
}

/// Which client it is.
pub(crate) fn key_of(client: &ClientView<'_>) -> ClientKey {
    ClientKey { link: client.link, duid: client.duid.to_duid() }
}

/// An address from text.
pub(crate) fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}
