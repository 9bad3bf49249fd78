//! What a server tells of its bindings: asked by bulk leasequery, with the requestor library.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddrV6, TcpStream};
use std::time::Instant;

use requestor::{Asker, BulkConnection, ClientData, Event, Outcome, Question, Resource};
use wire::{Duid, INFINITE, OptionCode};
use world::Chance;

use crate::PATIENCE;
use crate::customer::unix_secs;

/// Octets read at once.
const READ_OCTETS: usize = 256 * 1024;

/// A lease that a server has told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToldLease {
    /// Until when it is valid, as Unix time.
    pub(crate) until_secs: u64,
    /// The client's address, as the relay next to it has seen it.
    pub(crate) peer_address: Ipv6Addr,
    /// The relay's name for where it heard the client.
    pub(crate) interface_id: Vec<u8>,
}

/// All leases that a server has told of, by client.
pub(crate) type Told = BTreeMap<Duid, BTreeMap<Resource, ToldLease>>;

/// Asks for everything that this question is about; the answer has to be complete.
pub(crate) fn all(server: TcpStream, question: Question) -> Told {
    let mut told = Told::new();
    let outcome =
        ask(server, &question.requesting(&[OptionCode::LQ_RELAY_DATA]), |client| note(&mut told, client));
    assert!(outcome.is_complete(), "the bulk leasequery ended with {outcome:?}");
    told
}

/// Asks, and shows every client when it is told of. The server may die meanwhile.
pub(crate) fn ask(
    mut server: TcpStream,
    question: &Question,
    mut shown: impl FnMut(&ClientData<'_>),
) -> Outcome {
    let begun = Instant::now();
    let now = || world::Instant::since_start(begun.elapsed());
    let asker = Asker { client_id: Duid::new(&[0, 3, 0, 1, 2, 0xff]).expect("a DUID"), server_id: None };
    let mut connection = BulkConnection::new(asker, &mut Chance::from_seed(1), now());
    connection.ask(question, now()).expect("a question that fits");
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = server.write_all(connection.output());
    connection.wrote(connection.output().len(), now());
    let (mut outcome, mut octets) = (None, vec![0; READ_OCTETS]);
    loop {
        let mut sink = |event: Event<'_>| match event {
            Event::Client { client, .. } => shown(client),
            Event::Finished { outcome: end, .. } => outcome = Some(end),
        };
        match server.read(&mut octets) {
            Ok(0) | Err(_) => connection.peer_closed(&mut sink),
            Ok(length) => connection.receive(&octets[..length], now(), &mut sink),
        }
        if let Some(outcome) = outcome {
            return outcome;
        }
        assert!(begun.elapsed() < PATIENCE, "the bulk leasequery does not end");
    }
}

fn note(told: &mut Told, client: &ClientData<'_>) {
    let now = unix_secs();
    let path = client.relay_path.expect("every client was heard through a relay, and that was asked for");
    let nearest = path.innermost();
    let leases = told.entry(client.client_id.to_duid()).or_default();
    for lease in client.leases() {
        let until_secs =
            if lease.valid_secs == INFINITE { u64::MAX } else { now + u64::from(lease.valid_secs) };
        let interface_id = nearest.interface_id().unwrap_or_default().to_vec();
        let lease_told = ToldLease { until_secs, peer_address: nearest.peer_address, interface_id };
        // A client that changes meanwhile, because a lease of its runs out, may be told of twice: the later word counts.
        leases.insert(lease.resource, lease_told);
    }
}

/// A connection to a server that is at work.
pub(crate) fn connect(address: SocketAddrV6) -> TcpStream {
    TcpStream::connect_timeout(&address.into(), PATIENCE).expect("the server listens")
}
