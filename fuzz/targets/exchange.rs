//! Datagrams of clients and relays, one after the other, to a small server where everything is
//! scarce: every answer is well formed and for the one who asked, what is discarded changes
//! nothing, and what is handed out to be stored is what is held, nothing of it twice.
//!
//! Before each datagram stand an octet that says how it comes (see [`Way`]) and two of its length.

#![no_main]

use std::collections::BTreeMap;

use lease::{Client as Held, InTurn, Records, Seq, Table};
use libfuzzer_sys::fuzz_target;
use server::assign::Subscriber;
use wire::{OptionCode, Reader};

#[allow(dead_code, unused_imports, reason = "each user takes what it needs")]
#[path = "../../pure/server/tests/exchange/kit/mod.rs"]
mod kit;

use kit::{ALL_SERVERS, CLIENT, Client, Datagram, SERVER, Server, Site, Told, pool, prefix, shared};

fuzz_target!(|octets: &[u8]| {
    let mut server = site().open();
    server.exchanges.seed_keys([7; 32]);
    let mut stored = BTreeMap::new();
    let mut reader = Reader::new(octets);
    while let Some((way, message)) = next_datagram(&mut reader) {
        server.pass(way.wait_secs());
        exchange(&mut server, &way.datagram(message));
        for after in server.holdings.table.take_batch() {
            match after.image {
                Some(image) => _ = stored.insert(after.key, image),
                None => _ = stored.remove(&after.key),
            }
        }
    }
    assert_eq!(everybody(&loaded(&stored)), everybody(&server.holdings.table));
});

/// Reservations of every kind, exclusions, addresses on an uplink, prefixes of two lengths, and options.
fn site() -> Site {
    Site::usual().but(|site| {
        site.link(1).address_pools = vec![pool("2001:db8:1::1:100", "2001:db8:1::1:103")];
        site.link(1).prefixes.push(prefix("2001:db8:f000:10f::/64"));
        site.link(1).address_pools.push(pool("2001:db8:f000:10f::100", "2001:db8:f000:10f::101"));
        site.link(1).delegation_pools = vec![
            shared("2001:db8:f000::/55", 56),
            shared("2001:db8:f000:200::/55", 56),
            shared("2001:db8:f001::/59", 60),
        ];
        site.link(1).delegation_pools[0].excluded = Some(prefix("2001:db8:f000:f::/64"));
        site.link(2).delegation_pools = vec![shared("2001:db8:f000::/52", 54)];
        site.terms(1).rapid_commit = true;
        site.terms(1).reconfigure = true;
        site.rules.accept_unicast = true;
        site.rules.max_leases_per_client = 6;
        site.rules.max_leases_per_remote_id = Some(8);
        site.rules.relay_supplied.extend([OptionCode::DOMAIN_LIST, OptionCode(9999)]);
        site.offer(OptionCode::DNS_SERVERS, &[1; 16]);
        site.keep(Subscriber::Client(Client::new(1).duid), "2001:db8:1::71");
        site.keep(Subscriber::RemoteId(None, [0, 0, 0, 9, b'7'].into()), "2001:db8:f000:200::/56");
        site.keep(Subscriber::LinkLayer(1, [2, 0, 0, 0, 0, 1].into()), "2001:db8:1::72");
    })
}

/// How a datagram comes: bit 0 says on which interface, bit 1 whether to an address of the server's
/// own, and the rest how many five minutes after the one before.
struct Way(u8);

impl Way {
    fn wait_secs(&self) -> u64 {
        u64::from(self.0 >> 2) * 300
    }

    fn datagram(&self, message: &[u8]) -> Datagram {
        Datagram {
            octets: message.to_vec(),
            source: CLIENT,
            destination: if self.0 & 2 == 0 { ALL_SERVERS } else { SERVER },
            interface: Some(if self.0 & 1 == 0 { "lan1" } else { "lan2" }),
        }
    }
}

/// The last one may be cut short.
fn next_datagram<'a>(reader: &mut Reader<'a>) -> Option<(Way, &'a [u8])> {
    let way = Way(reader.u8().ok()?);
    let length = reader.u16().ok()?;
    let message = reader.take(length.into());
    Some((way, message.unwrap_or_else(|_| reader.rest())))
}

fn exchange(server: &mut Server, datagram: &Datagram) {
    let before = server.holdings.table.last_seq();
    let received = server.receive(datagram);
    let changed = server.holdings.table.last_seq() != before;
    match received {
        Ok((octets, answered)) => {
            assert!(changed || answered.changes.is_empty(), "{answered:?}");
            Told::read(&datagram.octets, &octets, answered);
        }
        Err(discard) => assert!(!changed, "{discard}, and something has changed"),
    }
}

fn loaded(stored: &BTreeMap<Vec<u8>, Box<[u8]>>) -> Table {
    let mut records = Records::default();
    stored.values().for_each(|image| records.push(image).expect("an image"));
    Table::load(records, &InTurn).expect("nothing is held twice")
}

fn everybody(table: &Table) -> Vec<Held> {
    let mut all: Vec<Held> = table.changed_since(Seq(0)).map(|(_, client)| client.to_client()).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}
