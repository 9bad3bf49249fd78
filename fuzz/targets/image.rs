//! What was written down and is read again, at a server's start and at a relay's: a record is refused, or
//! it says what is written again; and a table that has read records finds all of them by whatever they can be
//! asked by, and gives them back as they were.
//!
//! The input is records behind one octet that says whose they are: a server's, each behind two octets of its
//! length, or one of a relay's.

#![no_main]

use std::time::Duration;

use lease::{Client, ClientView, InTurn, Records, Resource, Seq, Table};
use libfuzzer_sys::fuzz_target;
use relay::{Delegation, Delegations, Limits, Moment, Ports, Verdict};
use requestor::Lifetime;
use wire::{Prefix, Reader};
use world::{Instant, Now};

const NOW: Now = Now { instant: Instant::since_start(Duration::from_secs(1000)), unix_secs: 1_767_225_600 };

fuzz_target!(|octets: &[u8]| {
    match octets.split_first() {
        Some((0, records)) => of_server(records),
        Some((1, record)) => of_relay(record),
        _ => {}
    }
});

fn of_server(octets: &[u8]) {
    let (mut records, mut clients) = (Records::default(), Vec::<Client>::new());
    let mut reader = Reader::new(octets);
    while let Ok(length) = reader.u16() {
        let Ok(image) = reader.take(length.into()) else { break };
        let Ok(view) = ClientView::decode(image) else {
            assert!(records.push(image).is_err(), "what cannot be read is refused");
            continue;
        };
        let client = view.to_client();
        is_written_again(&client, image);
        // The store keeps one record under a key.
        if clients.iter().all(|other| other.key != client.key) {
            records.push(image).expect("it can be read");
            clients.push(client);
        }
    }
    clients.sort_by(|a, b| a.key.cmp(&b.key));
    if let Ok(table) = Table::load(records, &InTurn) {
        has_all(&table, &clients);
        if let Some(table) = put(&clients) {
            has_all(&table, &clients);
        }
    } else {
        assert!(held_twice(&clients), "nothing is in the way");
    }
}

fn is_written_again(client: &Client, image: &[u8]) {
    let again = lease::image::encode(client);
    let view = ClientView::decode(&again).expect("what we write can be read");
    assert_eq!(view.to_client(), *client);
    // Bits behind a prefix are not kept; nothing else can be said in two ways.
    assert_eq!(again.len(), image.len());
}

/// Each client is found by its key, by what it holds, and among those that have changed; and as it was.
fn has_all(table: &Table, clients: &[Client]) {
    assert_eq!(table.len(), clients.len());
    let mut all: Vec<Client> = table.changed_since(Seq(0)).map(|(_, client)| client.to_client()).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(all, clients);
    for client in clients {
        assert_eq!(table.client(&client.key).map(|found| found.to_client()).as_ref(), Some(client));
        let leases = client.bindings.iter().flat_map(|binding| &binding.leases);
        for lease in leases.filter(|lease| lease.state.occupies()) {
            let mut holders = table.holders(lease.resource);
            assert!(holders.any(|found| found.duid == client.key.duid.as_ref()), "{}", lease.resource);
        }
    }
}

/// The same clients, put one after the other: refused only where an address lies in a prefix, for which a
/// store is not searched at the start.
fn put(clients: &[Client]) -> Option<Table> {
    let mut table = Table::default();
    for client in clients {
        if table.put(client).is_err() {
            assert!(lies_in_a_prefix(clients), "they could be held together before");
            return None;
        }
    }
    Some(table)
}

fn lies_in_a_prefix(clients: &[Client]) -> bool {
    let prefixes: Vec<Prefix> = occupied(clients).filter_map(Resource::prefix).collect();
    let mut addresses = occupied(clients).filter_map(Resource::address);
    addresses.any(|address| prefixes.iter().any(|prefix| prefix.contains(address)))
}

fn occupied(clients: &[Client]) -> impl Iterator<Item = Resource> {
    let bindings = clients.iter().flat_map(|client| &client.bindings);
    let leases = bindings.flat_map(|binding| &binding.leases).filter(|lease| lease.state.occupies());
    leases.map(|lease| lease.resource)
}

/// Whether some address is held twice, or a prefix that is another one or a part of it.
fn held_twice(clients: &[Client]) -> bool {
    let held: Vec<Resource> = occupied(clients).collect();
    let clash = |a: &Resource, b: &Resource| match (a, b) {
        (Resource::Prefix(a), Resource::Prefix(b)) => a.overlaps(*b),
        (a, b) => a == b,
    };
    held.iter().enumerate().any(|(index, a)| held[index + 1..].iter().any(|b| clash(a, b)))
}

fn of_relay(octets: &[u8]) {
    let Ok(image) = relay::image::decode(octets) else { return };
    let mut ports = Ports::default();
    let port = ports.intern(image.interface_id).expect("the first one");
    let delegation = image.delegation(port, NOW);
    let limits = Limits { per_client: 1, per_port: 1 };
    let mut delegations = Delegations::default();
    let verdict = delegations.hear(delegation.clone(), limits, NOW.instant);
    let Some(held) = delegations.get(delegation.prefix) else {
        assert!(matches!(verdict, Verdict::NotUnicast | Verdict::Stale), "{verdict:?}");
        return;
    };
    assert_eq!(verdict, Verdict::New);
    let again = relay::image::encode(&held, ports.interface_id(port), NOW);
    let again = relay::image::decode(&again).expect("what we write can be read");
    assert_eq!(again.interface_id, image.interface_id);
    assert_eq!(to_seconds(again.delegation(port, NOW)), to_seconds(held.to_delegation()));
}

/// Written lifetimes are whole seconds, of which a begun one counts; and who was heard before 1970 was heard
/// nobody knows when.
fn to_seconds(delegation: Delegation) -> (Delegation, [u32; 2]) {
    let Delegation { preferred, valid, heard, .. } = delegation;
    let left = [preferred, valid].map(|lifetime| lifetime.left_secs(NOW.instant));
    let is_known = heard.age(NOW.instant).as_secs() < NOW.unix_secs;
    let heard = if is_known { heard } else { Moment::UNKNOWN };
    (Delegation { preferred: Lifetime::Forever, valid: Lifetime::Forever, heard, ..delegation }, left)
}
