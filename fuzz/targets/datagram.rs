//! A datagram: whatever decodes, at any depth, is written again as it was; and a relay chain
//! answers and remembers its path without losing a level.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Message, RelayChain, TooLong};

#[allow(dead_code, reason = "each target takes what it needs")]
#[path = "../../pure/wire/tests/support/walk.rs"]
mod walk;

fuzz_target!(|octets: &[u8]| {
    if let Ok(message) = Message::decode(octets) {
        walk::assert_written_again(&message, octets);
    }
    if let Ok((chain, _message)) = RelayChain::decode(octets) {
        path_has_every_level(&chain);
        reply_goes_back_through_every_level(&chain);
    }
    if let Ok(chain) = RelayChain::decode_path(octets) {
        let mut path = Vec::new();
        assert_eq!(chain.encode_path(&mut path), Ok(()));
        assert_eq!(path, octets);
    }
});

fn path_has_every_level(chain: &RelayChain<'_>) {
    let mut path = Vec::new();
    assert_eq!(chain.encode_path(&mut path), Ok(()), "a path is shorter than its chain");
    let again = RelayChain::decode_path(&path).expect("a path");
    assert_eq!(again.hops().len(), chain.hops().len());
    for (hop, again) in chain.hops().iter().zip(again.hops()) {
        assert_eq!((hop.hop_count, hop.link_address), (again.hop_count, again.link_address));
        assert_eq!((hop.peer_address, hop.interface_id()), (again.peer_address, again.interface_id()));
    }
    assert!(chain.supplied_options().eq(again.supplied_options()));
    assert_eq!(chain.client_link_layer_address(), again.client_link_layer_address());
}

fn reply_goes_back_through_every_level(chain: &RelayChain<'_>) {
    const REPLY: &[u8] = &[7, 1, 2, 3];
    let mut octets = Vec::new();
    match chain.encode_reply(REPLY, &mut octets) {
        Ok(()) => {}
        Err(TooLong) => return,
    }
    let mut inside = octets.as_slice();
    for hop in chain.hops() {
        let Ok(Message::Relay(reply)) = Message::decode(inside) else { panic!("no Relay-reply") };
        assert_eq!((reply.hop_count, reply.peer_address), (hop.hop_count, hop.peer_address));
        assert_eq!(reply.interface_id(), hop.interface_id());
        inside = reply.relayed().expect("one message").expect("a message");
    }
    assert_eq!(inside, REPLY);
}
