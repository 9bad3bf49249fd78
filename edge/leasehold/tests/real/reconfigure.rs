//! A client that accepts Reconfigure is told to renew long before it would, and does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use wire::{ClientMessage, Message, MessageType};

use crate::bell::Bell;
use crate::capture::Capture;
use crate::client::Program;
use crate::exchange::{granted, utterances};
use crate::network::Network;
use crate::process::Process;
use crate::relay::Relay;
use crate::scenario::{Report, judge_all};
use crate::server::{Lifetimes, Server};

/// Longer than the test: nobody renews who is not told to.
const LIFETIMES: Lifetimes = Lifetimes { preferred_secs: 3600, valid_secs: 7200 };
/// For a client to get through its first exchange, with the pauses that standards prescribe.
const PATIENCE: Duration = Duration::from_secs(40);

/// A client that does so. If it goes wrong, what everybody had to say.
pub(crate) fn reconfigure(program: &Program, relays: &[Relay]) -> Result<Report, String> {
    let begun = Instant::now();
    let bell = Bell::default();
    let network = Network::new(relays.len());
    let mut capture = Capture::start(&network.server, "srv0", &bell);
    let mut server = Server::new(&network, LIFETIMES, &bell);
    server.start();
    let hosts = network.relays.iter().zip(&network.next_hops);
    let mut relaying: Vec<Process> = Vec::new();
    for (relay, (host, next_hop)) in relays.iter().zip(hosts) {
        relaying.push(relay.start(host, *next_hop, &bell));
        host.wait_for_listener("down0", &bell);
    }
    let client = (program.start)(&network.client, &bell);
    let result = catch_unwind(AssertUnwindSafe(|| {
        bell.wait(PATIENCE, "the client to hold what it was given", || {
            let said = utterances(&capture.messages());
            let is_bound = [MessageType::Request, MessageType::Solicit]
                .into_iter()
                .any(|asked| !granted(&said, asked).is_empty());
            let addresses = network.client.addresses("cli0", "global");
            (is_bound && !addresses.is_empty()).then_some(())
        });
        let outcomes = server.reconfigure();
        assert_eq!(outcomes, ["told"]);
        let renewed = || !granted(&utterances(&capture.messages()), MessageType::Renew).is_empty();
        bell.wait(PATIENCE, "the client to have renewed", || renewed().then_some(()));
        let reconfigures = capture.messages().iter().filter(|octets| is_reconfigure(octets)).count();
        assert_eq!(reconfigures, 1, "it has believed the first");
    }));
    capture.stop();
    match result.and_then(|()| catch_unwind(AssertUnwindSafe(|| judge_all(&capture)))) {
        Ok(packets) => Ok(Report { packets, took: begun.elapsed() }),
        Err(_) => {
            let mut account = String::new();
            for process in relaying.iter().chain([client.process()]) {
                account += &format!("\n-- {}\n{}", process.name(), process.said());
            }
            Err(account + &format!("\n-- server\n{}", server.said()))
        }
    }
}

fn is_reconfigure(octets: &[u8]) -> bool {
    match Message::decode(octets) {
        Ok(Message::Client(ClientMessage { message_type, .. })) => message_type == MessageType::Reconfigure,
        Ok(Message::Relay(relay)) => relay.relayed().ok().flatten().is_some_and(is_reconfigure),
        Err(_) => false,
    }
}
