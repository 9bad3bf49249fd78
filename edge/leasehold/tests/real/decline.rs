//! A client finds that somebody else uses the address that it is given: it declines, and is given another.

use std::time::{Duration, Instant};

use wire::MessageType;

use crate::bell::Bell;
use crate::capture::Capture;
use crate::client::Program;
use crate::exchange::{Resources, Utterance, acknowledged, granted, utterances};
use crate::network::Network;
use crate::scenario::{Report, judge_all};
use crate::server::{Lifetimes, Server, leases};

/// Longer than the test.
const LIFETIMES: Lifetimes = Lifetimes { preferred_secs: 3600, valid_secs: 7200 };
/// For two addresses, with the pauses that standards prescribe.
const PATIENCE: Duration = Duration::from_secs(40);

/// A client that does so, on the server's link.
pub(crate) fn decline(program: &Program) -> Report {
    let begun = Instant::now();
    let bell = Bell::default();
    let network = Network::new(0);
    let mut capture = Capture::start(&network.server, "srv0", &bell);
    let mut server = Server::new(&network, LIFETIMES, &bell);
    server.start();
    let client = (program.start)(&network.client, &bell);

    let offered = bell.wait(PATIENCE, "an offer", || {
        let offer = said(&capture).into_iter().find(|said| said.message_type == MessageType::Advertise)?;
        address(&offer.resources)
    });
    let other = bell.wait(PATIENCE, "the client to decline and to hold another address", || {
        let said = said(&capture);
        let held = network.client.addresses("cli0", "global").first()?.to_string();
        let is_declined = acknowledged(&said, MessageType::Decline).contains(&offered);
        let is_given = granted(&said, MessageType::Request).contains(&held);
        (is_declined && is_given && held != offered).then_some(held)
    });
    assert!(server.clients(&format!("address {offered}")).is_empty(), "the client still has {offered}");
    let clients = server.clients(&format!("address {other}"));
    assert!(leases(&clients[0]).contains(&other), "{clients:?}");
    drop(client);
    capture.stop();
    Report { packets: judge_all(&capture), took: begun.elapsed() }
}

fn said(capture: &Capture) -> Vec<Utterance> {
    utterances(&capture.messages())
}

fn address(resources: &Resources) -> Option<String> {
    resources.iter().find(|resource| !resource.contains('/')).cloned()
}
