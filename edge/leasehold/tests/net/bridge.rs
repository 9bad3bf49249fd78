//! A lightweight relay in a bridge: two clients and a server at its ports, and what each of them sees.

use std::net::Ipv6Addr;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Instant;

use lease::InterfacePattern;
use leasehold::clock::Clock;
use leasehold::net::{ALL_RELAY_AGENTS_AND_SERVERS, FrameSocket, Poller, Waker};
use leasehold::relay::lightweight::{Bridge, Order, Plan, Sides};
use nix::net::if_::if_nametoindex;
use relay::{Counters, Discard, PacedPort, Port, PortRules, Terms};
use wire::{CLIENT_PORT, Message, MessageType, OptionCode, Options, RelayMessage, SERVER_PORT, Writer};

use crate::PATIENCE;
use crate::namespace::{AGAIN, Far, in_namespaces, ip, not_tested};

const CLIENT: &str = "fe80::1";
const OTHER: &str = "fe80::5";
const SERVER: &str = "fe80::9";
const SOLICIT: &[u8] = &[1, 0x5c, 0xa1, 0xab, 0, 8, 0, 2, 0, 0];
const REPLY: &[u8] = &[7, 0x5c, 0xa1, 0xab, 0, 1, 0, 2, 9, 9];

/// The relay at work, on a thread in the namespace of the bridge.
struct Relaying {
    counters: Arc<Counters>,
    stopping: Arc<AtomicBool>,
    waker: Waker,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Relaying {
    fn start(clients: &'static [&'static str]) -> Self {
        let pattern = |text: &&str| InterfacePattern((*text).to_owned());
        let faces_clients = leasehold::net::Patterns::new(clients);
        let port = |index, name: &str| PacedPort {
            port: Port {
                index,
                name: name.to_owned(),
                interface_id: name.as_bytes().into(),
                link_address: Ipv6Addr::UNSPECIFIED,
                addresses: Vec::new(),
                remote_id: None,
                subscriber_id: None,
                rules: PortRules { accepts_relays: false, ..PortRules::default() },
            },
            messages_per_second: None,
        };
        let plan = Plan {
            terms: Terms::default(),
            clients: clients.iter().map(pattern).collect(),
            network: ["wan0"].iter().map(pattern).collect(),
            tells_link_layer: true,
            sides: Box::new(move |facts| {
                let facing = facts.iter().filter(|facts| faces_clients.matches(&facts.name));
                let network = facts.iter().filter(|facts| facts.name == "wan0");
                Sides {
                    clients: facing.map(|facts| port(facts.index, &facts.name)).collect(),
                    network: network.map(|facts| facts.index).collect(),
                }
            }),
        };
        let counters = Arc::new(Counters::default());
        let bridge = Bridge::open(plan, Clock::start(), Arc::clone(&counters)).unwrap();
        let (waker, stopping) = (bridge.waker(), Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&stopping);
        let thread = std::thread::spawn(move || bridge.run(|| told.load(Relaxed).then_some(Order::Stop)));
        Self { counters, stopping, waker, thread }
    }

    fn stop(self) {
        self.stopping.store(true, Relaxed);
        self.waker.wake();
        self.thread.join().unwrap().unwrap();
    }
}

/// Three ports of a bridge, and who is beyond them.
struct Scene<'a> {
    far: &'a Far,
    /// Sends any frame, and hears whatever comes out of the bridge to port 547.
    wire: FrameSocket,
    /// What was heard: at which far end, and the frame.
    heard: Vec<(&'static str, Vec<u8>)>,
}

/// The far ends of the cables, with an address each.
const FAR_ENDS: [(&str, &str, &str); 3] =
    [("lan0", "client0", CLIENT), ("lan1", "other0", OTHER), ("wan0", "server0", SERVER)];

impl<'a> Scene<'a> {
    /// Nothing without nft.
    fn set(far: &'a Far) -> Option<Self> {
        if Command::new("nft").arg("--version").output().is_err() {
            not_tested("there is no nft");
            return None;
        }
        ip("link add br0 type bridge mcast_snooping 0");
        ip("link set br0 up");
        for (near, far_end, address) in FAR_ENDS {
            far.lay_cable(near, far_end, address);
            ip(&format!("link set {near} master br0"));
            let hardware = hardware(address);
            far.run(move || ip(&format!("link set {far_end} address {}", text(hardware))));
        }
        let wire = far.run(|| FrameSocket::open().unwrap());
        Some(Self { far, wire, heard: Vec::new() })
    }

    /// Has a frame come into the bridge.
    fn send(&self, far_end: &'static str, frame: &[u8]) {
        let index = self.index(far_end);
        self.wire.send(index, frame).unwrap();
    }

    fn index(&self, far_end: &'static str) -> u32 {
        self.far.run(move || if_nametoindex(far_end).unwrap())
    }

    /// Listens until that is so.
    fn listen_until(&mut self, what: &str, is_so: impl Fn(&[(&'static str, Vec<u8>)]) -> bool) {
        let poller = Poller::new().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.heard) {
            assert!(Instant::now() < deadline, "waited for {what}; heard {:02x?}", self.heard);
            poller.wait(&[self.wire.as_fd()], Some(deadline)).unwrap();
            self.hear();
        }
    }

    /// Takes what has come out.
    fn hear(&mut self) {
        let ends = FAR_ENDS.map(|(_, far_end, _)| (self.index(far_end), far_end));
        while let Some(caught) = self.wire.receive().unwrap() {
            let end = ends.iter().find(|(index, _)| *index == caught.interface_index);
            self.heard.extend(end.map(|(_, far_end)| (*far_end, caught.octets.to_vec())));
        }
    }

    /// What the server has heard, all of which has to be Relay-forwards.
    fn forwards_at_server(&self) -> usize {
        for (far_end, frame) in &self.heard {
            assert_eq!((*far_end, message(frame)[0]), ("server0", MessageType::RelayForward as u8));
        }
        self.heard.len()
    }
}

fn hardware(address: &str) -> [u8; 6] {
    let last = address.parse::<Ipv6Addr>().unwrap().octets()[15];
    [2, 0, 0, 0, 0, last]
}

fn text(hardware: [u8; 6]) -> String {
    hardware.map(|octet| format!("{octet:02x}")).join(":")
}

fn frame(source: &str, destination: &str, ports: (u16, u16), message: &[u8]) -> Vec<u8> {
    let group = destination == "ff02::1:2";
    let to = if group { [0x33, 0x33, 0, 1, 0, 2] } else { hardware(destination) };
    let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
    let mut octets = Vec::new();
    etherparse::PacketBuilder::ethernet2(hardware(source), to)
        .ipv6(address(source), address(destination), 64)
        .udp(ports.0, ports.1)
        .write(&mut octets, message)
        .unwrap();
    octets
}

fn solicit(message: &[u8]) -> Vec<u8> {
    frame(CLIENT, "ff02::1:2", (CLIENT_PORT, SERVER_PORT), message)
}

/// The message in a frame without extension headers.
fn message(frame: &[u8]) -> &[u8] {
    &frame[62..]
}

fn relay_reply(interface_id: &[u8], peer: &str, message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let reply = RelayMessage {
        message_type: MessageType::RelayReply,
        hop_count: 0,
        link_address: Ipv6Addr::UNSPECIFIED,
        peer_address: peer.parse().unwrap(),
        options: Options::default(),
    };
    reply.encode(&mut writer);
    writer.raw_option(OptionCode::INTERFACE_ID, interface_id);
    writer.raw_option(OptionCode::RELAY_MSG, message);
    writer.finish().unwrap();
    octets
}

// LDR-02, LDR-03, LDR-04, LDR-05, LDR-07, LDR-08
#[test]
fn the_network_sees_relay_forwards_in_the_client_s_name_and_nothing_else() {
    const SOLICITS: usize = 20;
    in_namespaces(|far| {
        let Some(mut scene) = Scene::set(far) else { return };
        let sent = solicit(SOLICIT);
        scene.send("client0", &sent);
        scene.listen_until("the bridge to carry it", |heard| heard.len() == 2);
        scene.heard.sort();
        let unrelayed = [("other0", sent.clone()), ("server0", sent.clone())];
        assert_eq!(scene.heard, unrelayed, "without a relay");

        let relaying = Relaying::start(&["lan*"]);
        scene.heard.clear();
        (0..SOLICITS).for_each(|_| scene.send("client0", &sent));
        scene.listen_until("all of them", |heard| heard.len() >= SOLICITS);
        assert_eq!(scene.forwards_at_server(), SOLICITS);
        let made = &scene.heard[0].1;
        assert_eq!(made[..18], sent[..18], "both link-layer addresses, and how IPv6 begins");
        assert_eq!(made[20..54], sent[20..54], "both addresses");
        assert_eq!(made[54..58], [2, 35, 2, 35], "both ports");
        let Ok(Message::Relay(forward)) = Message::decode(message(made)) else { panic!("{made:02x?}") };
        assert_eq!((forward.hop_count, forward.link_address), (0, Ipv6Addr::UNSPECIFIED));
        assert_eq!(forward.peer_address.to_string(), CLIENT);
        assert_eq!(forward.interface_id(), Some(b"lan0".as_slice()));
        assert_eq!(forward.relayed(), Ok(Some(SOLICIT)));
        let link_layer = forward.options.first(OptionCode::CLIENT_LINKLAYER_ADDR);
        assert_eq!(link_layer, Some([&[0, 1], &hardware(CLIENT)[..]].concat().as_slice()));

        relaying.stop();
        scene.heard.clear();
        scene.send("client0", &sent);
        scene.listen_until("the bridge to be as before", |heard| heard.len() == 2);
        scene.heard.sort();
        assert_eq!(scene.heard, unrelayed, "without a relay again");
    });
}

// LDR-15, LDR-16, LDR-17, LDR-18
#[test]
fn the_client_sees_what_is_inside_of_a_relay_reply_and_nothing_else() {
    in_namespaces(|far| {
        let Some(mut scene) = Scene::set(far) else { return };
        let client = far.socket(CLIENT, "client0", CLIENT_PORT);
        let relaying = Relaying::start(&["lan*"]);
        let both = (SERVER_PORT, SERVER_PORT);
        let good = relay_reply(b"lan0", CLIENT, REPLY);
        let advertise = [&[2], &REPLY[1..]].concat();
        let bad = [
            frame(SERVER, CLIENT, both, &advertise),
            frame(SERVER, CLIENT, both, &relay_reply(b"lan9", CLIENT, REPLY)),
            frame(SERVER, OTHER, both, &good),
        ];
        bad.iter().for_each(|frame| scene.send("server0", frame));
        scene.send("server0", &frame(SERVER, CLIENT, both, &good));
        let deadline = Instant::now() + PATIENCE;
        let (octets, from) = loop {
            assert!(Instant::now() < deadline, "the reply never comes");
            if let Some(received) = client.receive() {
                break received;
            }
        };
        assert_eq!((octets.as_slice(), from.ip().to_string().as_str(), from.port()), (REPLY, SERVER, 547));
        for reason in [Discard::FromServer, Discard::NoPort, Discard::NotOurs] {
            assert_eq!(relaying.counters.discarded(reason), 1, "{reason}");
        }
        // Nothing to port 547 has come out anywhere until something is sent that may.
        scene.send("server0", &frame(SERVER, "2001:db8::1", both, b"routed"));
        scene.listen_until("what is none of its business", |heard| !heard.is_empty());
        assert!(scene.heard.iter().all(|(_, frame)| message(frame) == b"routed"), "{:02x?}", scene.heard);
        relaying.stop();
    });
}

// LDR-10
#[test]
fn what_would_be_too_long_for_the_network_is_dropped() {
    in_namespaces(|far| {
        let Some(mut scene) = Scene::set(far) else { return };
        let relaying = Relaying::start(&["lan*"]);
        let long = |length: usize| [SOLICIT, &vec![0; length - SOLICIT.len()]].concat();
        // The largest that fits: 40 + 8 for the packet, 34 for the header, and the options around it.
        let around = 48 + 34 + (4 + 4) + (4 + 8) + 4;
        scene.send("client0", &solicit(&long(1500 - around)));
        scene.send("client0", &solicit(&long(1501 - around)));
        // In fragments, since it does not fit into one frame even as it is.
        let client = far.socket(CLIENT, "client0", CLIENT_PORT);
        client.send(&long(1480), ALL_RELAY_AGENTS_AND_SERVERS, SERVER_PORT);
        scene.send("client0", &solicit(SOLICIT));
        scene.listen_until("those that fit", |heard| heard.len() >= 2);
        assert_eq!(scene.forwards_at_server(), 2);
        assert_eq!(scene.heard[0].1.len(), 14 + 1500);
        assert_eq!(relaying.counters.discarded(Discard::TooLong), 1);
        assert_eq!(relaying.counters.discarded(Discard::Fragment), 1);
        relaying.stop();
    });
}

// LDR-03
#[test]
fn nothing_passes_by_an_interface_that_comes_later() {
    in_namespaces(|far| {
        let Some(mut scene) = Scene::set(far) else { return };
        let relaying = Relaying::start(&["cust*"]);
        far.lay_cable("cust0", "later0", "fe80::7/64");
        ip("link set cust0 master br0");
        scene.wire = far.run(|| FrameSocket::open().unwrap());
        let sent = frame("fe80::7", "ff02::1:2", (CLIENT_PORT, SERVER_PORT), SOLICIT);
        let poller = Poller::new().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while scene.heard.is_empty() {
            assert!(Instant::now() < deadline, "it is never relayed");
            scene.send("later0", &sent);
            poller.wait(&[scene.wire.as_fd()], Some(Instant::now() + AGAIN)).unwrap();
            scene.hear();
        }
        assert!(scene.forwards_at_server() > 0);
        relaying.stop();
    });
}
