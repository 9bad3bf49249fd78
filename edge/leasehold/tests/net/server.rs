//! The whole server on its sockets: clients and relays beyond the cables, and what comes back to them.

use std::net::Ipv6Addr;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Instant;

use leasehold::config::Config;
use leasehold::net::{ALL_RELAY_AGENTS_AND_SERVERS, ALL_SERVERS, Beside, Frame, FrameSocket, Poller};
use leasehold::serve::{self, Plan, Running};
use nix::net::if_::if_nametoindex;
use server::Holdings;
use store::MemoryStore;
use wire::{
    CLIENT_PORT, ClientMessage, Duid, IaKind, Iaid, MessageType, OptionCode, Options, RelayMessage,
    SERVER_PORT, TransactionId, Writer,
};

use crate::PATIENCE;
use crate::namespace::{FarSocket, in_namespaces, ip};

/// What fits into the smallest MTU of IPv6 behind the headers of IPv6 and UDP.
const UNFRAGMENTED_OCTETS: usize = 1_232;

const CONFIGURATION: &str = r#"
    leasequery.bulk.listen = []
    [dhcp.options]
    dns-servers = ["2001:db8::53", "2001:db8::54"]
    domain-list = ["example.net", "customers.example.net"]
    sntp-servers = ["2001:db8::123"]
    ntp-servers = ["ntp.example.net"]
    sol-max-rt = 3600
    [[link]]
    id = 1
    name = "first"
    interfaces = ["first"]
    prefixes = ["2001:db8:1::/64"]
    address-pools = ["2001:db8:1:0:1::/80"]
    [[link.delegation-pools]]
    prefix = "2001:db8:f000::/40"
    delegated-length = 56
    [[link]]
    id = 2
    name = "second"
    interfaces = ["second"]
    prefixes = ["2001:db8:2::/64"]
    address-pools = ["2001:db8:2:0:1::/80"]
"#;

fn start() -> Running {
    let config = Config::parse(Path::new("test"), CONFIGURATION).unwrap();
    let server_id = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]).unwrap();
    let holdings = Holdings { links: config.links(), ..Holdings::default() };
    let plan = Plan::new(&config, server_id, holdings, Box::new(MemoryStore::default())).unwrap();
    serve::start(Plan { control: None, ..plan }).unwrap()
}

fn solicit(client: u8) -> Vec<u8> {
    let mut octets = Vec::new();
    let transaction_id = TransactionId::new([7, 7, client]);
    ClientMessage::write(&mut Writer::new(&mut octets), MessageType::Solicit, transaction_id, |w| {
        w.raw_option(OptionCode::CLIENTID, &[0, 3, 0, 1, 2, 0, 0, 0, 1, client]);
        w.raw_option(OptionCode::ELAPSED_TIME, &[0, 0]);
        w.raw_option(OptionCode::ORO, &[0, 23, 0, 24, 0, 31, 0, 56, 0, 82]);
        w.ia(IaKind::Address, Iaid(1), 0, 0, |_| {});
        w.ia(IaKind::Prefix, Iaid(1), 0, 0, |_| {});
    });
    octets
}

/// Sends until an answer comes, and gives it; it has to come from the server's port.
fn answer(sender: &FarSocket, octets: &[u8], to: Ipv6Addr, receiver: &FarSocket) -> Vec<u8> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        sender.send(octets, to, SERVER_PORT);
        if let Some((answer, from)) = receiver.receive() {
            assert_eq!(from.port(), SERVER_PORT);
            return answer;
        }
    }
    panic!("no answer")
}

/// The address in an Advertise.
fn address(advertise: &[u8], client: u8) -> Ipv6Addr {
    let message = ClientMessage::decode(advertise).unwrap();
    assert_eq!(message.message_type, MessageType::Advertise);
    assert_eq!(message.transaction_id, TransactionId::new([7, 7, client]));
    let (_, ia) = message.options.ias().next().unwrap().unwrap();
    ia.options.ia_addresses().next().unwrap().unwrap().address
}

// DH-T-01, DH-T-02, DH-T-03, DH-T-04, DH-T-05, DH-L-01
#[test]
fn a_client_is_answered_where_it_is_from_the_link_it_is_on() {
    in_namespaces(|far| {
        far.lay_cable("first", "to-first", "fe80::1/64");
        far.lay_cable("second", "to-second", "fe80::1/64");
        let server = start();
        for (interface, prefix) in [("to-first", "2001:db8:1::/64"), ("to-second", "2001:db8:2::/64")] {
            let (sender, receiver) =
                (far.socket("fe80::1", interface, 50_000), far.socket("fe80::1", interface, CLIENT_PORT));
            for (client, group) in [(1, ALL_RELAY_AGENTS_AND_SERVERS), (2, ALL_SERVERS)] {
                let advertise = answer(&sender, &solicit(client), group, &receiver);
                let prefix: wire::Prefix = prefix.parse().unwrap();
                assert!(prefix.contains(address(&advertise, client)), "{interface}");
            }
            assert_eq!(sender.receive(), None, "nothing goes to where a client has sent from");
        }
        server.stop();
    });
}

/// The frame in which a client's message comes in by the interface that is there.
fn framed(client: &FarSocket, octets: &[u8]) -> Vec<u8> {
    let mut frames = FrameSocket::open().unwrap();
    client.send(octets, ALL_RELAY_AGENTS_AND_SERVERS, SERVER_PORT);
    let poller = Poller::new().unwrap();
    poller.wait(&[frames.as_fd()], Some(Instant::now() + PATIENCE)).unwrap();
    let caught = frames.receive().unwrap().expect("the frame");
    // Within one machine the checksum is not computed before somebody needs it.
    let beside = Beside { checksum_is_good: true, ..Beside::default() };
    let frame = Frame::parse(caught.octets, beside).unwrap();
    frame.with(CLIENT_PORT, SERVER_PORT, octets).unwrap()
}

// DH-V-17
#[test]
fn a_client_is_answered_whether_its_frame_was_for_all_or_for_the_server_alone() {
    in_namespaces(|far| {
        far.lay_cable("first", "to-first", "fe80::1/64");
        ip("link set first address 02:00:00:00:00:02");
        let client = far.socket("fe80::1", "to-first", CLIENT_PORT);
        let to_all = framed(&client, &solicit(1));
        assert_eq!(to_all[..6], [0x33, 0x33, 0, 1, 0, 2]);
        let to_server = [&[2, 0, 0, 0, 0, 2], &to_all[6..]].concat();
        let server = start();
        for frame in [to_all, to_server] {
            let until = Instant::now() + PATIENCE;
            let advertise = loop {
                let frame = frame.clone();
                far.run(move || {
                    let index = if_nametoindex("to-first").unwrap();
                    FrameSocket::open().unwrap().send(index, &frame).unwrap();
                });
                if let Some((advertise, _)) = client.receive() {
                    break advertise;
                }
                assert!(Instant::now() < until, "no answer");
            };
            address(&advertise, 1);
            while client.receive().is_some() {}
        }
        server.stop();
    });
}

// DH-T-07
#[test]
fn an_answer_with_all_the_usual_is_not_fragmented() {
    in_namespaces(|far| {
        far.lay_cable("first", "to-first", "fe80::1/64");
        let server = start();
        let client = far.socket("fe80::1", "to-first", CLIENT_PORT);
        let advertise = answer(&client, &solicit(1), ALL_RELAY_AGENTS_AND_SERVERS, &client);
        let options = ClientMessage::decode(&advertise).unwrap().options;
        for code in [3, 25, 23, 24, 31, 56, 82] {
            assert!(options.has(OptionCode(code)), "option {code}");
        }
        assert!(advertise.len() < UNFRAGMENTED_OCTETS, "{} octets", advertise.len());
        server.stop();
    });
}

// DH-T-02, DH-T-06
#[test]
fn a_relay_is_answered_at_the_address_that_it_sent_from() {
    in_namespaces(|far| {
        far.lay_cable("first", "to-first", "2001:db8:9::2/64");
        ip("addr add 2001:db8:9::1/64 dev first nodad");
        let server = start();
        let sender = far.socket("2001:db8:9::2", "to-first", 50_000);
        let receiver = far.socket("2001:db8:9::2", "to-first", SERVER_PORT);
        let forward = relayed("2001:db8:2::1", "fe80::99", &solicit(1));
        let reply = answer(&sender, &forward, "2001:db8:9::1".parse().unwrap(), &receiver);
        let reply = RelayMessage::decode(&reply).unwrap();
        assert_eq!(reply.message_type, MessageType::RelayReply);
        let prefix: wire::Prefix = "2001:db8:2::/64".parse().unwrap();
        assert!(prefix.contains(address(reply.relayed().unwrap().unwrap(), 1)));
        server.stop();
    });
}

fn relayed(link_address: &str, peer_address: &str, message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    let header = RelayMessage {
        message_type: MessageType::RelayForward,
        hop_count: 0,
        link_address: link_address.parse().unwrap(),
        peer_address: peer_address.parse().unwrap(),
        options: Options::default(),
    };
    header.encode_header(&mut w);
    w.raw_option(OptionCode::RELAY_MSG, message);
    w.finish().unwrap();
    octets
}
