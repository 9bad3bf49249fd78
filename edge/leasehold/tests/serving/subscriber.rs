//! Subscribers behind one relay, simulated: each asks once, with Rapid Commit, and notes what it was told.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lease::{ClientKey, LinkId, Resource};
use wire::{
    ClientMessage, Duid, IaKind, Iaid, MessageType, OptionCode, Options, RelayChain, RelayMessage,
    TransactionId, Writer,
};

/// How long an answer may take on a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether there is still a server.
const LOOK: Duration = Duration::from_millis(50);

/// A relay on this host, and a subscriber at a time behind it.
pub(crate) struct Relay {
    socket: UdpSocket,
    link_address: Ipv6Addr,
}

/// What a subscriber was told that it may use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) key: ClientKey,
    pub(crate) resource: Resource,
}

impl Relay {
    pub(crate) fn to(server: SocketAddrV6, link_address: Ipv6Addr) -> Self {
        let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(LOOK)).unwrap();
        Self { socket, link_address }
    }

    /// What the subscriber with this number is told; `None` if the server has ended.
    pub(crate) fn ask(&self, number: u32, ended: &AtomicBool) -> Option<Vec<Told>> {
        let key = ClientKey { link: LinkId(1), duid: duid(number) };
        self.socket.send(&self.relayed(&solicit(&key.duid, number))).ok()?;
        let (mut buffer, deadline) = ([0; 2048], Instant::now() + PATIENCE);
        while Instant::now() < deadline {
            let received = self.socket.recv(&mut buffer);
            if let Some(told) = received.ok().and_then(|length| told(&buffer[..length], &key, number)) {
                return Some(told);
            }
            if ended.load(Ordering::Acquire) {
                return None;
            }
        }
        panic!("no answer, and the server has not ended");
    }

    /// The answer to a message.
    pub(crate) fn carry(&self, message: &[u8]) -> Vec<u8> {
        let (mut buffer, deadline) = ([0; 2048], Instant::now() + PATIENCE);
        self.socket.send(&self.relayed(message)).unwrap();
        while Instant::now() < deadline {
            if let Ok(length) = self.socket.recv(&mut buffer) {
                return inside(&buffer[..length]).to_vec();
            }
        }
        panic!("no answer");
    }

    /// Has the subscriber with this number give back an address, whoever holds it.
    pub(crate) fn release(&self, number: u32, resource: Resource) {
        let offered = self.carry(&solicit(&duid(number), number));
        let server_id = ClientMessage::decode(&offered).unwrap().options.server_id().unwrap().unwrap();
        let mut octets = Vec::new();
        let mut w = Writer::new(&mut octets);
        ClientMessage::write(&mut w, MessageType::Release, transaction_id(number), |w| {
            w.raw_option(OptionCode::CLIENTID, duid(number).octets());
            w.raw_option(OptionCode::SERVERID, server_id.octets());
            w.ia(IaKind::Address, Iaid(1), 0, 0, |w| {
                w.ia_address(resource.address().expect("an address"), 0, 0);
            });
        });
        w.finish().unwrap();
        self.carry(&octets);
    }

    /// Relay Source Port has the answer come back to where we are.
    fn relayed(&self, message: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut w = Writer::new(&mut octets);
        let header = RelayMessage {
            message_type: MessageType::RelayForward,
            hop_count: 0,
            link_address: self.link_address,
            peer_address: "fe80::1".parse().unwrap(),
            options: Options::default(),
        };
        header.encode_header(&mut w);
        w.raw_option(OptionCode::RELAY_PORT, &[0, 0]);
        w.raw_option(OptionCode::RELAY_MSG, message);
        w.finish().unwrap();
        octets
    }
}

fn duid(number: u32) -> Duid {
    Duid::new(&[&[0, 3, 0, 1, 2, 0][..], &number.to_be_bytes()].concat()).unwrap()
}

fn transaction_id(number: u32) -> TransactionId {
    let [_, a, b, c] = number.to_be_bytes();
    TransactionId::new([a, b, c])
}

fn solicit(duid: &Duid, number: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    ClientMessage::write(&mut w, MessageType::Solicit, transaction_id(number), |w| {
        w.raw_option(OptionCode::CLIENTID, duid.octets());
        w.raw_option(OptionCode::ELAPSED_TIME, &[0, 0]);
        w.raw_option(OptionCode::RAPID_COMMIT, &[]);
        w.ia(IaKind::Address, Iaid(1), 0, 0, |_| {});
        w.ia(IaKind::Prefix, Iaid(1), 0, 0, |_| {});
    });
    w.finish().unwrap();
    octets
}

/// The leases in an answer; `None` if it answers somebody else.
fn told(octets: &[u8], key: &ClientKey, number: u32) -> Option<Vec<Told>> {
    let octets = inside(octets);
    let reply = ClientMessage::decode(octets).unwrap();
    if reply.transaction_id != transaction_id(number) {
        return None;
    }
    assert_eq!(reply.message_type, MessageType::Reply);
    assert_eq!(reply.options.client_id().unwrap(), Some(key.duid.as_ref()));
    let mut all = Vec::new();
    for ia in reply.options.ias() {
        let (_, ia) = ia.unwrap();
        let addresses = ia.options.ia_addresses().map(|it| Resource::Address(it.unwrap().address));
        let prefixes = ia.options.ia_prefixes().map(|it| Resource::Prefix(it.unwrap().prefix));
        all.extend(addresses.chain(prefixes).map(|resource| Told { key: key.clone(), resource }));
    }
    assert_eq!(all.len(), 2, "an address and a prefix");
    Some(all)
}

/// What a Relay-reply of one level holds.
fn inside(octets: &[u8]) -> &[u8] {
    let relay = RelayMessage::decode(octets).unwrap();
    assert_eq!(relay.message_type, MessageType::RelayReply);
    assert!(RelayChain::decode(octets).is_err(), "not a Relay-forward");
    relay.relayed().unwrap().unwrap()
}
