//! A relay: what arrives from either side is handed on whole or dropped, and what was forwarded finds
//! its way back.

#![no_main]

use std::net::Ipv6Addr;

use libfuzzer_sys::fuzz_target;
use relay::{Arrival, Port, PortRules, Ports, Terms, deliver, forward};
use wire::{Duid, LinkLayerAddress, RelayChain, RelayMessage};

const REPLY: &[u8] = &[7, 1, 2, 3];
const OURS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);

fuzz_target!(|octets: &[u8]| {
    let mut ports = Ports::default();
    ports.update(vec![port()]);
    for refuses_supplied_options in [false, true] {
        let terms = Terms {
            relay_id: Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).ok(),
            refuses_supplied_options,
            ..Terms::default()
        };
        if let Ok(delivery) = deliver(&terms, &ports, &arrival(), octets) {
            let reply = RelayMessage::decode(octets).expect("nothing else is delivered");
            assert_eq!(reply.relayed(), Ok(Some(delivery.octets)));
        }
        forward_and_back(&terms, &ports, octets);
    }
});

fn forward_and_back(terms: &Terms, ports: &Ports, octets: &[u8]) {
    let mut out = Vec::new();
    if let Err(_discard) = forward(terms, ports, &arrival(), octets, &mut out) {
        assert!(out.is_empty());
        return;
    }
    let forwarded = RelayMessage::decode(&out).expect("what we make is sound");
    assert_eq!(forwarded.relayed(), Ok(Some(octets)));
    let Ok((chain, _)) = RelayChain::decode(&out) else { return };
    let mut reply = Vec::new();
    if chain.encode_reply(REPLY, &mut reply).is_err() {
        return;
    }
    let delivery = deliver(terms, ports, &arrival(), &reply).expect("it names our port");
    assert_eq!(delivery.to, arrival().source);
    if chain.hops().len() == 1 {
        assert_eq!(delivery.octets, REPLY);
    }
}

fn arrival() -> Arrival<'static> {
    Arrival {
        source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2),
        source_port: 1000,
        destination: OURS,
        interface_index: 7,
        link_layer: Some(LinkLayerAddress { hardware_type: 1, address: &[2, 0, 0, 0, 1, 1] }),
    }
}

fn port() -> Port {
    Port {
        index: 7,
        name: "eth7".into(),
        interface_id: b"eth7".as_slice().into(),
        link_address: OURS,
        addresses: vec![OURS],
        remote_id: None,
        subscriber_id: None,
        rules: PortRules { accepts_leasequery: true, accepts_unicast: true, ..PortRules::default() },
    }
}
