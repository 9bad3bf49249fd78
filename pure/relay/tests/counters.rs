//! What is counted.

use relay::{Counters, Discard, Messages, Peer};
use wire::MessageType;

#[test]
fn messages_are_counted_by_type_and_by_who_sent_them() {
    let counters = Counters::default();
    assert_eq!(counters.messages().count(), 0);
    counters.received(Peer::Client, &[1, 2]);
    counters.forwarded(&[1, 2]);
    counters.received(Peer::Relay, &[12]);
    counters.forwarded(&[12]);
    counters.received(Peer::Server, &[13]);
    counters.delivered(&[7]);
    counters.received(Peer::Client, &[99]);
    counters.received(Peer::Client, &[]);

    let of = |message_type| Messages {
        message_type,
        from_clients: 0,
        from_relays: 0,
        from_servers: 0,
        forwarded: 0,
        delivered: 0,
    };
    let expected = [
        Messages { from_clients: 1, forwarded: 1, ..of(Some(MessageType::Solicit)) },
        Messages { delivered: 1, ..of(Some(MessageType::Reply)) },
        Messages { from_relays: 1, forwarded: 1, ..of(Some(MessageType::RelayForward)) },
        Messages { from_servers: 1, ..of(Some(MessageType::RelayReply)) },
        Messages { from_clients: 2, ..of(None) },
    ];
    assert_eq!(counters.messages().collect::<Vec<_>>(), expected);
}

// REL-10: what is dropped is counted, each reason by itself.
#[test]
fn each_reason_to_drop_has_a_counter() {
    let counters = Counters::default();
    for (index, reason) in Discard::ALL.iter().enumerate() {
        assert_eq!(counters.discarded(*reason), 0);
        (0..=index).for_each(|_| counters.discard(*reason));
    }
    for (index, reason) in (1..).zip(Discard::ALL) {
        assert_eq!(counters.discarded(*reason), index, "{reason}");
    }
}
