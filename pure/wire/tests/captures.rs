//! What other people's programs put on the wire: every message decodes, every option in it at any
//! depth decodes, and all of it is written again to the same octets.

use std::fs;

use wire::{FrameBuffer, Message, MessageType};

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
    assert_eq!(count(MessageType::LeaseQuery), count(MessageType::LeaseQueryReply));
    assert!(count(MessageType::LeaseQueryData) > 0 && count(MessageType::LeaseQueryDone) > 0);
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
