//! Ten thousand connections that mean no good, and everybody else's day.
//!
//! ```text
//!            +-- 2001:db8:bad::/48: a thousand addresses, every kind of misdeed -- TCP --+
//! this test -+-- ::1: a requestor that asks for everything, again and again ----- TCP --+-- leasehold serve
//!            +-- ::1: a relay whose clients ask for leases without end ----------- UDP --+
//! ```
//!
//! All of it is in a network namespace of its own. What is usual is measured in the same run as what is so under
//! attack, in turns, and medians are compared: so the figures are about the server, and not about the machine. All
//! variety comes from one seed, which is printed; with `HOSTILE_SEED` it is given.

mod attack;
mod crowd;
mod figures;
mod legitimate;
mod misdeeds;
mod network;
mod server;
#[path = "../serving/subscriber.rs"]
#[allow(dead_code, reason = "not all of it is needed here")]
mod subscriber;

use attack::{Attacked, Served};
use crowd::Crowd;
use figures::{median, print_attacked, print_quiet};
use legitimate::{Clients, Requestor};
use network::in_a_network;
use server::{Resources, Server};
use std::time::Duration;

/// Connections that stay, each with one of the misdeeds that the server does not end at once.
const STAYING: usize = 10_000;
/// Connections besides that are ended, and come again.
const COMING_AND_GOING: usize = 500;
/// Connections besides from where nobody may ask, which come again as soon as they are refused.
const FORBIDDEN: usize = 100;
/// Attacks, one after the other.
const ATTACKS: u64 = 3;
/// How often the requestor asks in each phase, and how often where it takes too long.
const QUERIES: usize = 7;
const MOST_QUERIES: usize = 21;
/// By how much a query may take longer under attack: the median of them against the usual one.
const QUERY_RATIO: f64 = 2.0;
/// By how much an exchange may take longer, likewise, and what is never too long: the disk's moods.
const EXCHANGE_RATIO: f64 = 3.0;
const EXCHANGE_NEVER_TOO_LONG: Duration = Duration::from_millis(20);
/// Lines in the log in each phase besides one for each query, and files that somebody has open for a moment.
const OTHER_LINES: usize = 20;
const OTHER_FILES: usize = 5;
/// By how much one more attack may leave the server larger, when the allocator has had two to get used to it: two
/// kibibytes for each connection and less than any connection holds; and clients have got leases meanwhile.
const GROWTH_OCTETS: u64 = 24 << 20;

// BLQ-S-71, BLQ-S-69, BLQ-S-70, BLQ-S-48, BLQ-S-05
#[test]
fn ten_thousand_hostile_connections_change_little_for_everybody_else() {
    in_a_network(|seed| {
        let server = Server::start("max-connections = 12000");
        let clients = Clients::start(server.dhcp_address());
        let requestor = Requestor { address: server.bulk_address() };
        requestor.ask_for_everything();
        let mut quiet = vec![measure_quiet(&server, &requestor, &clients)];
        let expected = usual(&quiet).mul_f64(QUERY_RATIO);
        let mut attacked = Vec::new();
        for attack in 0..ATTACKS {
            let crowd = Crowd::gather(&server, seed + attack, STAYING, COMING_AND_GOING, FORBIDDEN);
            attacked.push(Attacked::measure(crowd, &server, &requestor, &clients, expected));
            attacked.last().into_iter().for_each(print_attacked);
            quiet.push(measure_quiet(&server, &requestor, &clients));
        }
        clients.stop();
        assert_little_changes(&quiet, &attacked);
        assert_nothing_is_left(&quiet);
    });
}

fn measure_quiet(server: &Server, requestor: &Requestor, clients: &Clients) -> (Served, Resources) {
    let quiet = (Served::measure(requestor, clients, Duration::MAX), server.resources());
    print_quiet(&quiet.0, &quiet.1);
    quiet
}

/// How long a query takes as a rule.
fn usual(quiet: &[(Served, Resources)]) -> Duration {
    median(quiet.iter().flat_map(|(served, _)| &served.queries))
}

fn assert_little_changes(quiet: &[(Served, Resources)], attacked: &[Attacked]) {
    let usual = usual(quiet);
    let usual_exchange = median(quiet.iter().flat_map(|(served, _)| &served.exchanges));
    for Attacked { served, told, .. } in attacked {
        let query = median(&served.queries);
        assert!(query <= usual.mul_f64(QUERY_RATIO), "{query:?} for a query, and usually {usual:?}");
        let exchange = median(&served.exchanges);
        let bound = usual_exchange.mul_f64(EXCHANGE_RATIO).max(EXCHANGE_NEVER_TOO_LONG);
        assert!(exchange <= bound, "{exchange:?} for an exchange, and usually {usual_exchange:?}");
        assert!(*told <= served.queries.len() + OTHER_LINES, "{told} lines in the log");
    }
}

fn assert_nothing_is_left(quiet: &[(Served, Resources)]) {
    let (_, start) = &quiet[0];
    for (_, after) in &quiet[1..] {
        let (files, before) = (after.files, start.files);
        assert!(files <= before + OTHER_FILES, "{files} descriptors, and {before} at the start");
    }
    let resident: Vec<u64> = quiet.iter().map(|(_, resources)| resources.resident).collect();
    let [.., before, after] = resident[..] else { unreachable!("there was more than one attack") };
    assert!(after <= before + GROWTH_OCTETS, "{resident:?} octets resident, after each attack");
}

// BLQ-S-67
#[test]
fn a_source_that_takes_all_places_keeps_nobody_else_out() {
    in_a_network(|seed| {
        let server = Server::start("");
        let requestor = Requestor { address: server.bulk_address() };
        requestor.ask_for_everything();
        let crowd = Crowd::from_one_source(&server, seed, 200, 10);
        for _ in 0..QUERIES {
            requestor.ask_for_everything();
        }
        let counters = server.counters();
        let bulk = |name: &str| counters["bulk"][name].as_u64().unwrap();
        assert!(bulk("connections") <= 10);
        assert!(bulk("displaced") > 0 && bulk("refused") > 0, "{counters}");
        crowd.end();
        server.until_nobody_is_connected();
    });
}

// BLQ-S-69
#[test]
fn a_server_takes_no_more_connections_than_it_has_files_for() {
    in_a_network(|seed| {
        let server = Server::start_with_files(320, "max-connections = 1000");
        let told = "leasequery.bulk.max-connections is 1000, but with 320 open files";
        assert!(server.lines().iter().any(|line| line.contains(told)), "{:?}", server.lines());
        let clients = Clients::start(server.dhcp_address());
        let requestor = Requestor { address: server.bulk_address() };
        let crowd = Crowd::from_one_source(&server, seed, 400, 64);
        requestor.ask_for_everything();
        assert!(server.resources().files <= 320);
        assert!(!server.lines().iter().any(|line| line.contains("cannot accept")), "{:?}", server.lines());
        crowd.end();
        server.until_nobody_is_connected();
        clients.stop();
    });
}
