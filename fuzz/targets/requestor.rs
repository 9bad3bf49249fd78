//! What servers answer to a requestor. Over TCP, cut anywhere, it brings the same events, and each question
//! ends once and is silent afterwards; over UDP, the answer that a connection was given brings the same
//! clients.
//!
//! The input is what the server sends over TCP behind one octet: the seed of the chopping. Three questions
//! are asked, with the transaction ids that [`SEED`] gives.

#![no_main]

use std::collections::BTreeSet;

use fuzz::chopped;
use libfuzzer_sys::fuzz_target;
use requestor::{
    Asker, BulkConnection, ClientRecord, Counters, DatagramQuery, Event, Gap, Merged, Outcome, Question,
    SourceId, Warnings, limits,
};
use wire::{ClientMessage, Duid, FrameBuffer, MessageType, OptionCode, TransactionId};
use world::{Chance, Instant};

/// Gives the questions the transaction ids 910a2d, 910a2e and 910a2f.
const SEED: u64 = 1;
const NOW: Instant = Instant::since_start(std::time::Duration::from_secs(1000));

fuzz_target!(|octets: &[u8]| {
    let Some((seed, stream)) = octets.split_first() else { return };
    let whole = heard([stream]);
    assert_eq!(heard(chopped(stream, *seed)), whole);
    assert_eq!(heard(stream.chunks(1)), whole);
    questions_end_once(&whole);
    merge(&whole);
    over_udp(stream);
});

#[derive(Debug, PartialEq)]
enum Seen {
    Client(TransactionId, ClientRecord),
    Finished(TransactionId, Outcome),
}

impl Seen {
    fn of(event: Event<'_>) -> Self {
        match event {
            Event::Client { query, client } => {
                assert!(client.lease_count > 0 && client.lease_count == client.leases().count());
                Self::Client(query, ClientRecord::new(client, NOW))
            }
            Event::Finished { query, outcome } => Self::Finished(query, outcome),
        }
    }
}

#[derive(Debug, PartialEq)]
struct Heard {
    asked: Vec<TransactionId>,
    seen: Vec<Seen>,
    ended: Option<Gap>,
    warnings: Warnings,
    counters: Counters,
}

fn heard<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Heard {
    let mut connection = BulkConnection::new(asker(), &mut Chance::from_seed(SEED), NOW);
    let questions = [
        Question::by_relay(duid()).requesting(&[OptionCode::LQ_RELAY_DATA]),
        Question::by_client(duid()),
        Question::by_relay(duid()),
    ];
    let asked = questions.map(|question| connection.ask(&question, NOW).expect("the first questions"));
    connection.wrote(connection.output().len(), NOW);
    let mut seen = Vec::new();
    let mut ended = None;
    for piece in pieces {
        connection.receive(piece, NOW, &mut |event| seen.push(Seen::of(event)));
        ended = connection.ended();
    }
    connection.peer_closed(&mut |event| seen.push(Seen::of(event)));
    assert!(connection.is_idle() && connection.ended().is_some() && connection.next_deadline().is_none());
    // Behind a fault nothing is read: how much came with it depends on the cut.
    let counters = Counters { octets: 0, ..connection.counters() };
    Heard { asked: asked.to_vec(), seen, ended, warnings: connection.warnings().clone(), counters }
}

fn questions_end_once(heard: &Heard) {
    let mut open: BTreeSet<TransactionId> = heard.asked.iter().copied().collect();
    let (mut clients, mut leases) = (0, 0);
    for seen in &heard.seen {
        match seen {
            Seen::Client(query, client) => {
                assert!(open.contains(query), "a client for a question that is not open");
                clients += 1;
                leases += client.leases.len() as u64;
            }
            Seen::Finished(query, _) => assert!(open.remove(query), "it has ended before"),
        }
    }
    assert!(open.is_empty(), "the connection has ended, and some question has not");
    assert_eq!((heard.counters.clients, heard.counters.bindings), (clients, leases));
}

/// What two servers say is told of once, and nothing of it is lost.
fn merge(heard: &Heard) {
    let (mut merged, mut told) = (Merged::default(), BTreeSet::new());
    for (index, seen) in heard.seen.iter().enumerate() {
        let Seen::Client(_, client) = seen else { continue };
        told.extend(client.leases.iter().map(|lease| (client.client_id.clone(), lease.resource)));
        merged.add(SourceId(index % 2), client.clone());
    }
    let mut kept = Vec::new();
    for (client, leases) in merged.clients() {
        kept.extend(leases.map(|lease| (client.clone(), lease.lease.resource)));
    }
    assert_eq!(kept, Vec::from_iter(told));
}

/// The same messages as datagrams. What is to be sent are queries, and there are not too many of them.
fn over_udp(stream: &[u8]) {
    let mut frames = FrameBuffer::default();
    frames.extend(stream);
    let question = Question::by_client(duid()).requesting(&[OptionCode::LQ_RELAY_DATA]);
    let mut query =
        DatagramQuery::new(question, asker(), Chance::from_seed(SEED), NOW).expect("it is asked by UDP");
    let (id, mut outcomes, mut sent) = (query.id(), 0, 0);
    let mut asking = id;
    while let Ok(Some(message)) = frames.next_message() {
        if let Some(octets) = query.tick(NOW, &mut |_| panic!("patience has not ended")) {
            let message = ClientMessage::decode(octets).expect("what we make is sound");
            assert_eq!(message.message_type, MessageType::LeaseQuery);
            asking = message.transaction_id;
            sent += 1;
        }
        let mut answer = message.to_vec();
        // Whatever number it bears, it is an answer to what is being asked.
        if let Some(number) = answer.get_mut(1..4) {
            number.copy_from_slice(&asking.octets());
        }
        let (expected, was_over) = (by_tcp(&answer, asking), query.next_deadline().is_none());
        let mut clients = Vec::new();
        query.receive(&answer, NOW, &mut |event| match Seen::of(event) {
            Seen::Client(of, client) => {
                assert_eq!(of, id);
                clients.push(client);
            }
            Seen::Finished(of, _) => {
                assert_eq!(of, id);
                outcomes += 1;
            }
        });
        assert_eq!(clients, if was_over { Vec::new() } else { expected });
    }
    assert_eq!(outcomes, u32::from(query.next_deadline().is_none()));
    assert!(sent <= 1 + limits::MAX_CLIENT_LINKS);
}

/// The clients that a connection is told of by this message.
fn by_tcp(answer: &[u8], id: TransactionId) -> Vec<ClientRecord> {
    let mut chance = Chance::from_seed(SEED);
    let mut connection = BulkConnection::new(asker(), &mut chance, NOW);
    let question = Question::by_client(duid()).requesting(&[OptionCode::LQ_RELAY_DATA]);
    let own = connection.ask(&question, NOW).expect("the first question");
    let (mut answer, mut clients, mut framed) = (answer.to_vec(), Vec::new(), Vec::new());
    if answer.get(1..4) == Some(&id.octets()) {
        answer[1..4].copy_from_slice(&own.octets());
    }
    wire::write_frame(&mut framed, |w| w.bytes(&answer)).expect("it came in a frame");
    // Only a reply is an answer over UDP.
    if answer.first() == Some(&(MessageType::LeaseQueryReply as u8)) {
        connection.receive(&framed, NOW, &mut |event| {
            if let Seen::Client(_, client) = Seen::of(event) {
                clients.push(client);
            }
        });
    }
    clients
}

fn asker() -> Asker {
    Asker { client_id: duid(), server_id: None }
}

fn duid() -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).expect("ten octets are a DUID")
}
