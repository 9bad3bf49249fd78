//! What other people's programs put on the wire: every message decodes, every option in it at any
//! depth decodes, and all of it is written again to the same octets.

use std::fs;

use wire::{FrameBuffer, Message, MessageType, OptionCode, RawOption, RelayChain};

#[path = "support/pcap.rs"]
mod pcap;
#[path = "support/walk.rs"]
mod walk;

use walk::{assert_written_again, every_option};

#[test]
fn datagrams_of_clients_relays_and_servers() {
    let mut messages = 0;
    for path in pcap::captures() {
        let capture = fs::read(&path).unwrap();
        for datagram in pcap::datagrams(&capture) {
            assert_decodes_in_full(datagram, &path.display().to_string());
            messages += 1;
        }
    }
    assert!(messages > 100, "only {messages} messages");
}

// LQ-S-32, LQ-S-33: what real relays send, one or two of them, can be remembered as a path.
#[test]
fn the_paths_of_relayed_messages() {
    let (mut through_two, mut behind_the_message) = (0, 0);
    for path in pcap::captures() {
        let capture = fs::read(&path).unwrap();
        for datagram in pcap::datagrams(&capture) {
            let Ok((chain, message)) = RelayChain::decode(datagram) else { continue };
            let mut remembered = Vec::new();
            chain.encode_path(&mut remembered).unwrap();
            assert_eq!(remembered.len(), datagram.len() - 4 - message.len());
            let of_path = RelayChain::decode_path(&remembered).unwrap();
            assert_eq!(own_options(&of_path), own_options(&chain), "{}", path.display());
            through_two += usize::from(chain.hops().len() == 2);
            let last = chain.innermost().options.iter().last();
            behind_the_message +=
                usize::from(last.is_some_and(|option| option.code != OptionCode::RELAY_MSG));
        }
    }
    assert!(through_two > 0 && behind_the_message > 0, "{through_two}, {behind_the_message}");
}

/// The options of each level but the relayed message.
fn own_options<'a>(chain: &RelayChain<'a>) -> Vec<Vec<RawOption<'a>>> {
    let own = |option: &RawOption<'_>| option.code != OptionCode::RELAY_MSG;
    chain.hops().iter().map(|hop| hop.options.iter().filter(own).collect()).collect()
}

// BLQ-F-01, BLQ-F-02
#[test]
fn bulk_leasequery_of_kea() {
    let path = pcap::captures().into_iter().find(|path| path.ends_with("bulk-leasequery-kea-3.3.pcap"));
    let capture = fs::read(path.unwrap()).unwrap();
    let streams = pcap::streams(&capture);
    assert_eq!(streams.len(), 2, "one connection");
    let mut types = Vec::new();
    for stream in streams.values() {
        let mut frames = FrameBuffer::default();
        frames.extend(stream);
        while let Some(octets) = frames.next_message().unwrap() {
            assert_decodes_in_full(octets, "the connection");
            types.push(octets[0]);
        }
        assert_eq!(frames.waiting(), 0, "the connection ended between two frames");
    }
    let count = |kind: MessageType| types.iter().filter(|number| **number == kind as u8).count();
    assert_eq!((count(MessageType::LeaseQuery), count(MessageType::LeaseQueryReply)), (2, 2));
    assert_eq!((count(MessageType::LeaseQueryData), count(MessageType::LeaseQueryDone)), (5, 1));
}

fn assert_decodes_in_full(octets: &[u8], whence: &str) {
    let message = Message::decode(octets).unwrap_or_else(|error| panic!("{whence}: {error}: {octets:02x?}"));
    for found in every_option(message.options()) {
        if let Err(error) = found.inside {
            panic!("{whence}: {error}: {found:02x?}");
        }
    }
    assert_written_again(&message, octets);
}
