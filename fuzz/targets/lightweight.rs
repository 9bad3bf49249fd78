//! A frame in a bridge, and the lightweight relay that takes it out: whatever is made of it is a frame with
//! the same ends and a sound checksum, what was forwarded is whole inside, and the answer to it goes to whoever
//! has sent it, by the port where that was heard, and to nobody else.
//!
//! The input is the frame behind one octet: bit 0 says whether the kernel has taken a tag out of it, and bit 1
//! whether it knows the checksum to be good.

#![no_main]

use std::net::Ipv6Addr;

use leasehold::net::{Beside, Frame};
use libfuzzer_sys::fuzz_target;
use relay::{Arrival, Lightweight, PacedPort, Peer, Port, PortRules, Terms};
use wire::limits::HOP_COUNT_LIMIT;
use wire::{CLIENT_PORT, LinkLayerAddress, MessageType, OptionCode, RelayChain, RelayMessage, SERVER_PORT};
use world::Instant;

const REPLY: &[u8] = &[7, 1, 2, 3];
const SERVER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x547);
const INTERFACE_ID: &[u8] = b"port 7";

fuzz_target!(|octets: &[u8]| {
    let Some((beside, octets)) = octets.split_first() else { return };
    let beside =
        Beside { tag: (beside & 1 != 0).then_some([0x81, 0, 0x60, 100]), checksum_is_good: beside & 2 != 0 };
    let Ok(frame) = Frame::parse(octets, beside) else { return };
    assert_eq!(Frame::ends(octets), Some((frame.source(), frame.destination())));
    is_made_with(&frame, CLIENT_PORT, SERVER_PORT, frame.message());
    let mut relay = Lightweight::new(Terms::default());
    relay.update(vec![PacedPort { port: port(), messages_per_second: Some(1) }]);
    if Lightweight::takes_from_clients(frame.destination()) {
        forward(&mut relay, &frame);
    }
    if Lightweight::takes_from_network(frame.source(), frame.destination())
        && let Ok(delivery) = relay.deliver(&arrival(&frame), frame.message())
    {
        assert_eq!((delivery.to, delivery.interface_index), (frame.destination(), 7));
        is_made_with(&frame, SERVER_PORT, delivery.to_port, delivery.octets);
    }
});

/// The frame around another message is one, and says the same of both ends.
fn is_made_with(frame: &Frame<'_>, source_port: u16, destination_port: u16, message: &[u8]) {
    let made = frame.with(source_port, destination_port, message).expect("no longer than what came");
    let tag_octets = made.len() - 14 - 40 - 8 - message.len();
    assert!(tag_octets == 0 || tag_octets == 4 && made[12..16] == [0x81, 0, 0x60, 100]);
    let untagged = [&made[..12], &made[12 + tag_octets..]].concat();
    let again = Frame::parse(&untagged, Beside::default()).expect("its checksum is good");
    assert_eq!((again.source(), again.destination()), (frame.source(), frame.destination()));
    assert_eq!((again.link_layer_source(), again.source_port()), (frame.link_layer_source(), source_port));
    assert_eq!(again.message(), message);
}

fn forward(relay: &mut Lightweight, frame: &Frame<'_>) {
    let (arrival, now, mut out) = (arrival(frame), Instant::default(), Vec::new());
    if relay.forward(&arrival, frame.message(), now, &mut out).is_err() {
        assert!(out.is_empty(), "what goes no further leaves nothing behind");
        return;
    }
    let forwarded = RelayMessage::decode(&out).expect("what we make is sound");
    assert_eq!(forwarded.relayed(), Ok(Some(frame.message())));
    assert_eq!(forwarded.interface_id(), Some(INTERFACE_ID));
    assert_eq!((forwarded.link_address, forwarded.peer_address), (Ipv6Addr::UNSPECIFIED, frame.source()));
    assert!(usize::from(forwarded.hop_count) <= HOP_COUNT_LIMIT);
    // There is an address for each hop; a relay that is not known adds none of its own.
    assert!(!forwarded.options.has(OptionCode::RELAY_ID));
    let Ok((chain, _)) = RelayChain::decode(&out) else { return };
    let mut reply = Vec::new();
    if chain.encode_reply(REPLY, &mut reply).is_err() {
        return;
    }
    let from_server =
        Arrival { source: SERVER, source_port: SERVER_PORT, destination: frame.source(), ..arrival };
    let delivery = relay.deliver(&from_server, &reply).expect("it names our port");
    assert_eq!((delivery.to, delivery.interface_index), (frame.source(), 7));
    let is_for_relay = frame.message()[0] == MessageType::RelayForward as u8;
    assert_eq!(delivery.towards, if is_for_relay { Peer::Relay } else { Peer::Client });
    // No client gets what is for another.
    let elsewhere = Arrival { destination: SERVER, ..from_server };
    assert!(frame.source() == SERVER || relay.deliver(&elsewhere, &reply).is_err());
    assert!(relay.forward(&arrival, frame.message(), now, &mut out).is_err(), "one message a second");
}

fn arrival<'a>(frame: &'a Frame<'_>) -> Arrival<'a> {
    Arrival {
        source: frame.source(),
        source_port: frame.source_port(),
        destination: frame.destination(),
        interface_index: 7,
        link_layer: Some(LinkLayerAddress { hardware_type: 1, address: frame.link_layer_source() }),
    }
}

fn port() -> Port {
    Port {
        index: 7,
        name: "eth7".into(),
        interface_id: INTERFACE_ID.into(),
        link_address: Ipv6Addr::UNSPECIFIED,
        addresses: Vec::new(),
        remote_id: None,
        subscriber_id: None,
        rules: PortRules { accepts_relays: true, accepts_leasequery: true, ..PortRules::default() },
    }
}
