//! Many clients at a modest rate: perfdhcp, of Kea, as clients on the server's link and as a relay with clients behind it.
//!
//! Not a measure of anything: no exchange may be lost, and in the end the server tells exactly what it has granted.

use std::time::Instant;

use wire::MessageType;

use crate::bell::Bell;
use crate::capture::Capture;
use crate::exchange::{Resources, granted, utterances};
use crate::host::Host;
use crate::network::{LINK, Network};
use crate::process::Process;
use crate::scenario::{Report, judge_all};
use crate::server::{Lifetimes, Server, leases};

/// Longer than the test.
const LIFETIMES: Lifetimes = Lifetimes { preferred_secs: 3600, valid_secs: 7200 };
/// 200 exchanges a second of 500 clients, 50 renewals a second beside them, for 3 seconds; late answers are awaited for one more.
const LOAD: &str = "-6 -e address-and-prefix -r 200 -R 500 -f 50 -p 3 -W 1000000";
/// Of perfdhcp's report: what has to be nothing.
const FAULTS: [&str; 4] = ["Malformed packets: ", "drops: ", "rejected leases: ", "non unique addresses: "];

/// Clients on the server's link, or behind perfdhcp as a relay.
pub(crate) fn bear(relayed: bool) -> Report {
    let begun = Instant::now();
    let bell = Bell::default();
    let network = Network::new(usize::from(relayed));
    let mut capture = Capture::start(&network.server, "srv0", &bell);
    let mut server = Server::new(&network, LIFETIMES, &bell);
    server.start();

    let host = network.relays.first().unwrap_or(&network.client);
    let place = if relayed { relay_options(&network) } else { "-l cli0 all".to_owned() };
    let report = run(host, &place, &bell);
    for line in report.lines() {
        let is_fault = FAULTS.iter().any(|fault| line.starts_with(fault) && line[fault.len()..] != *"0");
        assert!(!is_fault, "{line}\n{report}\n{}", server.said());
    }

    let said = utterances(&capture.messages());
    let given = granted(&said, MessageType::Request);
    let told: Resources = server.clients(&format!("link {LINK}")).iter().flat_map(leases).collect();
    assert!(given.len() > 500, "{} leases\n{report}", given.len());
    assert_eq!(told, given, "told and granted");
    capture.stop();
    Report { packets: judge_all(&capture), took: begun.elapsed() }
}

/// A relay sends from its address on the clients' link, so that the server needs a way there.
fn relay_options(network: &Network) -> String {
    let relay = network.relays[0].addresses("up0", "global")[0];
    network.server.ip(&format!("-6 route add 2001:db8:1::/64 via {relay}"));
    format!("-A 1 -l {LINK} {}", network.next_hops[0])
}

fn run(host: &Host, place: &str, bell: &Bell) -> String {
    let mut command = host.command("perfdhcp");
    command.args(LOAD.split(' ')).args(place.split(' '));
    let mut perfdhcp = Process::start("perfdhcp", &mut command, bell);
    let status = perfdhcp.wait();
    let report = perfdhcp.said();
    assert!(status.success(), "perfdhcp ended with {status}\n{report}");
    report
}
