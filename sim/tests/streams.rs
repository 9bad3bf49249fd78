//! The streams of the simulator itself: whatever befalls them, octets arrive in the order in which they were written,
//! each once; and where nothing breaks a stream, all of them do.

use std::net::Ipv6Addr;
use std::time::Duration;

use sim::faults::Fault;
use sim::nodes::guests::{Guest, Peer, PeerStream};
use sim::nodes::{NodeId, Nodes};
use sim::plan::{Plan, addresses};
use sim::universe::{Attachment, Ending, Segment, StreamId, Universe};

const SEEDS: u64 = 200;
const DIALLER: NodeId = NodeId::Guest(0);
const LISTENER: NodeId = NodeId::Guest(1);

fn address(number: usize) -> Ipv6Addr {
    addresses::requestor(number)
}

/// Two peers, and a stream from one to the other.
fn two_peers(seed: u64, keep: impl Fn(Fault) -> bool) -> (Universe, StreamId) {
    let mut plan = Plan::draw(seed);
    plan.faults.retain(keep);
    let mut universe = Universe::empty(plan);
    for (number, node) in [DIALLER, LISTENER].into_iter().enumerate() {
        universe.nodes.guests.push(Guest::Peer(Peer::default()));
        let addresses = vec![address(number)];
        let attachment = Attachment { node, interface: 1, addresses, hears_clients: false, is_up: true };
        universe.network.attach(Segment::CORE, attachment);
    }
    let mut dialled = None;
    universe.with(DIALLER, |nodes, _, out| {
        let stream = out.dial(address(0), address(1));
        peer(nodes, 0).dialled(stream);
        dialled = Some(stream);
    });
    go_on(&mut universe, Duration::from_secs(1));
    (universe, dialled.unwrap())
}

fn peer(nodes: &mut Nodes, number: usize) -> &mut Peer {
    nodes.guests[number].peer().unwrap()
}

fn end(universe: &mut Universe, number: usize, stream: StreamId) -> &mut PeerStream {
    peer(&mut universe.nodes, number).streams.get_mut(&stream).unwrap()
}

fn change(universe: &mut Universe, number: usize, stream: StreamId, change: impl FnOnce(&mut PeerStream)) {
    universe.with(NodeId::Guest(number), |nodes, _, _| {
        change(peer(nodes, number).streams.get_mut(&stream).unwrap());
    });
}

fn go_on(universe: &mut Universe, by: Duration) {
    let until = universe.now() + by;
    while universe.step(until).is_some() {}
}

/// Octets that are different wherever one looks.
fn octets(from: u32, count: u32) -> Vec<u8> {
    (from..from + count).flat_map(u32::to_be_bytes).collect()
}

#[test]
fn octets_arrive_in_order_and_once_whatever_befalls() {
    let of_streams = [Fault::Chop, Fault::Stall, Fault::NoRoom, Fault::Reset];
    let (mut whole, mut broken) = (0, 0);
    for seed in 1..=SEEDS {
        let (mut universe, stream) = two_peers(seed, |fault| of_streams.contains(&fault));
        let said = [octets(0, 3_000), octets(1 << 20, 500)];
        for (number, said) in said.iter().enumerate() {
            change(&mut universe, number, stream, |end| end.output.extend(said));
        }
        // The listener does not read for a while.
        change(&mut universe, 1, stream, |end| end.is_reading = false);
        go_on(&mut universe, Duration::from_secs(30));
        change(&mut universe, 1, stream, |end| end.is_reading = true);
        go_on(&mut universe, Duration::from_secs(600));
        universe.calm();
        go_on(&mut universe, Duration::from_secs(600));
        for number in [0, 1] {
            let heard: Vec<u8> = end(&mut universe, number, stream).input.iter().copied().collect();
            let said = &said[1 - number];
            assert!(said.starts_with(&heard), "seed {seed}: something else has arrived");
            let is_broken = end(&mut universe, number, stream).ending == Some(Ending::Reset);
            assert!(
                is_broken || heard == *said,
                "seed {seed}: {} of {} have arrived",
                heard.len(),
                said.len()
            );
            if is_broken { broken += 1 } else { whole += 1 }
        }
    }
    assert!(whole > 0 && broken > 0, "{whole} whole, {broken} broken");
}

#[test]
fn who_has_said_all_still_hears() {
    let (mut universe, stream) = two_peers(1, |_| false);
    change(&mut universe, 0, stream, |end| {
        end.output.extend(octets(0, 10));
        end.has_said_all = true;
    });
    go_on(&mut universe, Duration::from_secs(1));
    assert_eq!(end(&mut universe, 1, stream).ending, Some(Ending::Closed));
    change(&mut universe, 1, stream, |end| {
        end.output.extend(octets(0, 100_000));
        end.is_done = true;
    });
    go_on(&mut universe, Duration::from_secs(10));
    let heard: Vec<u8> = end(&mut universe, 0, stream).input.iter().copied().collect();
    assert_eq!(heard, octets(0, 100_000));
    assert_eq!(end(&mut universe, 0, stream).ending, Some(Ending::Closed));
}

#[test]
fn who_leaves_something_unread_breaks_the_stream() {
    let (mut universe, stream) = two_peers(1, |_| false);
    change(&mut universe, 1, stream, |end| end.is_reading = false);
    change(&mut universe, 0, stream, |end| end.output.extend(octets(0, 10)));
    go_on(&mut universe, Duration::from_secs(1));
    change(&mut universe, 1, stream, |end| end.is_done = true);
    go_on(&mut universe, Duration::from_secs(1));
    assert_eq!(end(&mut universe, 0, stream).ending, Some(Ending::Reset));
    assert_eq!(universe.open_streams(), 0);
}

#[test]
fn who_says_something_to_nobody_hears_of_it() {
    let (mut universe, stream) = two_peers(1, |_| false);
    change(&mut universe, 1, stream, |end| end.is_done = true);
    go_on(&mut universe, Duration::from_secs(1));
    assert_eq!(end(&mut universe, 0, stream).ending, Some(Ending::Closed));
    change(&mut universe, 0, stream, |end| end.output.extend(octets(0, 1)));
    go_on(&mut universe, Duration::from_secs(1));
    assert_eq!(universe.open_streams(), 0);
}

#[test]
fn who_does_not_listen_is_not_connected() {
    let (mut universe, _) = two_peers(1, |_| false);
    peer(&mut universe.nodes, 1).refuses = true;
    let mut dialled = Vec::new();
    universe.with(DIALLER, |nodes, _, out| {
        for to in [address(1), address(9)] {
            let stream = out.dial(address(0), to);
            peer(nodes, 0).dialled(stream);
            dialled.push(stream);
        }
    });
    go_on(&mut universe, Duration::from_secs(30));
    for stream in dialled {
        let end = end(&mut universe, 0, stream);
        assert_eq!((end.ending, end.is_connected), (Some(Ending::Refused), false));
    }
}
