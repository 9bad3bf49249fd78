//! A configuration file, as `check`, a start and a reload read it: it is good, and then it says the same
//! when it is written and read again, and server and relay can go by it; or every fault in it has the name
//! of the file, a line that the file has, and one line of its own.

#![no_main]

use std::net::Ipv6Addr;
use std::path::Path;

use lease::{Links, Resource, Table};
use leasehold::config::relay::{Mode, Relay};
use leasehold::config::{Config, Faults, render};
use leasehold::kernel::{InterfaceAddress, InterfaceFacts};
use leasehold::relay::ports::Layout;
use leasehold::serve::Plan;
use libfuzzer_sys::fuzz_target;
use relay::{Arrival, Ports, deliver, forward};
use server::exchange::Answered;
use server::{Arrived, Holdings};
use store::MemoryStore;
use wire::{
    ClientMessage, Duid, IaKind, Iaid, MessageType, OptionCode, Options, RelayChain, TransactionId, Writer,
};
use world::{Instant, Now};

const FILE: &str = "leasehold.toml";
/// Links whose clients are tried, of all that a file has.
const TRIED_LINKS: usize = 4;
const CLIENT: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7);
const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 2);

fuzz_target!(|octets: &[u8]| {
    match Config::decode(Path::new(FILE), octets) {
        Err(faults) => have_places(&faults, octets),
        Ok(config) => {
            reads_back(&config);
            serves(&config);
            config.relay.iter().for_each(relays);
        }
    }
});

fn have_places(faults: &Faults, octets: &[u8]) {
    let lines = 1 + octets.iter().filter(|octet| **octet == b'\n').count();
    assert!(!faults.0.is_empty());
    for fault in &faults.0 {
        let line = fault.line.expect("the file was read");
        assert!((1..=lines).contains(&line), "{fault}");
        let said = fault.to_string();
        assert!(said.starts_with(&format!("{FILE}:{line}: ")), "{said}");
        assert!(!said.contains(char::is_control), "{said:?}");
        assert!(!fault.problem.is_empty() && !fault.remedy.is_empty(), "{said}");
    }
    assert!(faults.0.is_sorted_by_key(|fault| fault.line), "{faults}");
}

fn reads_back(config: &Config) {
    let text = render(config);
    let read = Config::decode(Path::new(FILE), text.as_bytes()).expect("what is written is good");
    assert_eq!(render(&read), text);
    let without_warnings = Config { warnings: Vec::new(), ..config.clone() };
    assert_eq!(Config { warnings: Vec::new(), ..read }, without_warnings);
}

/// A client behind a relay on each link is offered what the file gives there, and nothing else.
fn serves(config: &Config) {
    let holdings = Holdings { table: Table::default(), links: config.links() };
    let server_id = config.server_id.clone().unwrap_or_else(duid);
    let mut plan = Plan::new(config, server_id, holdings, Box::new(MemoryStore::default())).expect("a plan");
    for link in config.links.iter().take(TRIED_LINKS) {
        let Some(link_address) = link
            .relay_addresses
            .first()
            .copied()
            .or_else(|| link.prefixes.first().map(|prefix| prefix.last_address()))
        else {
            continue;
        };
        let octets = relayed_solicit(link_address);
        let arrived = Arrived::decode(&octets, SERVER, SERVER, None).expect("a Solicit");
        let mut out = Vec::new();
        if let Ok(answered) = plan.exchanges.answer(&arrived, &mut plan.holdings, now(), &mut out) {
            is_of_the_file(config, &answered, &out);
        }
    }
}

fn is_of_the_file(config: &Config, answered: &Answered, out: &[u8]) {
    let id = answered.link.expect("a Solicit is answered on a link");
    let links: Links = config.links();
    let link = links.by_id(id).expect("one of the file");
    let kept = config.dhcp.reservations.iter().filter(|kept| kept.link == id);
    let kept: Vec<Resource> = kept.flat_map(|kept| kept.resources().collect::<Vec<_>>()).collect();
    let reply = wire::RelayMessage::decode(out).expect("a Relay-reply");
    let message = reply.relayed().expect("sound").expect("an answer");
    let message = ClientMessage::decode(message).expect("sound");
    for ia in message.options.ias() {
        let (_, ia) = ia.expect("sound");
        for lease in ia.options.ia_addresses().map(|lease| lease.expect("sound")) {
            let mut pools = link.address_pools.iter();
            let is_in_pool = pools.any(|pool| (pool.first..=pool.last).contains(&lease.address));
            assert!(is_in_pool || kept.contains(&Resource::Address(lease.address)), "{lease:?}");
        }
        for lease in ia.options.ia_prefixes().map(|lease| lease.expect("sound")) {
            let is_in_pool = link.delegation_pools.iter().any(|pool| pool.delegates(lease.prefix));
            assert!(is_in_pool || kept.contains(&Resource::Prefix(lease.prefix)), "{lease:?}");
        }
    }
}

/// On a host with three interfaces: no two ports have the same name for servers, and what is forwarded from
/// each comes back to it.
fn relays(relay: &Relay) {
    let relay_id = relay.relay_id.clone().unwrap_or_else(duid);
    let layout = Layout::new(relay, &relay_id).expect("the host has a name");
    let seen = layout.ports(&[
        interface(1, "lo", None),
        interface(2, "eth0", None),
        interface(3, "eth0.7", Some(7)),
    ]);
    assert_eq!(seen.ports.len(), seen.rates.len());
    let mut ports = Ports::default();
    ports.update(seen.ports.clone());
    let terms = relay.terms(&relay_id);
    if relay.mode == Mode::Lightweight {
        return;
    }
    for port in &seen.ports {
        let id = ports.with_interface_id(&port.interface_id).expect("no other port's");
        assert_eq!(ports.with_index(port.index), Some(id));
        let (arrival, mut out) = (from_client(port.index), Vec::new());
        let solicit = solicit();
        forward(&terms, &ports, &arrival, &solicit, &mut out).expect("a Solicit is forwarded");
        let (chain, message) = RelayChain::decode(&out).expect("what we make is sound");
        assert_eq!(message, solicit);
        let mut reply = Vec::new();
        chain.encode_reply(b"\x07\x01\x02\x03", &mut reply).expect("a short reply");
        let server = Arrival {
            source: relay.servers.first().map_or(SERVER, |server| *server.address.ip()),
            ..arrival
        };
        let delivery = deliver(&terms, &ports, &server, &reply).expect("it is for us");
        assert_eq!((delivery.port, delivery.to), (id, CLIENT));
    }
}

fn interface(index: u32, name: &str, vlan_id: Option<u16>) -> InterfaceFacts {
    let last = u16::try_from(index).expect("a small number");
    let address = |first: u16| InterfaceAddress {
        address: Ipv6Addr::new(first, 0xdb8, 1, 0, 0, 0, 0, last),
        prefix_length: 64,
        is_tentative: false,
        is_deprecated: false,
        is_temporary: false,
    };
    InterfaceFacts {
        index,
        name: name.to_owned(),
        hardware_type: if index == 1 { 772 } else { 1 },
        hardware_address: vec![2, 0, 0, 0, 0, index as u8],
        is_up: true,
        is_running: true,
        vlan_id,
        lower_index: None,
        master_index: None,
        vrf_table: None,
        addresses: vec![address(0xfe80), address(0x2001)],
    }
}

fn from_client(interface_index: u32) -> Arrival<'static> {
    let destination = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
    Arrival { source: CLIENT, source_port: 546, destination, interface_index, link_layer: None }
}

fn solicit() -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    ClientMessage::write(&mut writer, MessageType::Solicit, TransactionId::from_number(7), |w| {
        w.raw_option(OptionCode::CLIENTID, duid().octets());
        w.option(OptionCode::ELAPSED_TIME, |w| w.u16(0));
        w.ia(IaKind::Address, Iaid(1), 0, 0, |_| {});
        w.ia(IaKind::Prefix, Iaid(1), 0, 0, |_| {});
    });
    writer.finish().expect("a short message");
    octets
}

fn relayed_solicit(link_address: Ipv6Addr) -> Vec<u8> {
    let (message, mut octets) = (solicit(), Vec::new());
    let mut writer = Writer::new(&mut octets);
    let options = Options::default();
    let message_type = MessageType::RelayForward;
    wire::RelayMessage { message_type, hop_count: 0, link_address, peer_address: CLIENT, options }
        .encode(&mut writer);
    writer.raw_option(OptionCode::RELAY_MSG, &message);
    writer.finish().expect("a short message");
    octets
}

fn duid() -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).expect("ten octets are a DUID")
}

fn now() -> Now {
    Now { instant: Instant::default(), unix_secs: 1_767_225_600 }
}
