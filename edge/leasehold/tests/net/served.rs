//! Interfaces that come, go and change while the socket serves.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use leasehold::net::{
    ALL_RELAY_AGENTS_AND_SERVERS, ALL_SERVERS, Arrival, Batch, GROUPS_OF_SERVERS, Membership, Patterns,
    Poller, ServerSocket, Watcher,
};
use wire::SERVER_PORT;

use crate::PATIENCE;
use crate::namespace::{Far, FarSocket, in_namespaces, ip, not_tested};

/// How long to listen before sending again.
const AGAIN: Duration = Duration::from_millis(50);

/// What the server's receiving thread does, one step at a time.
pub(crate) struct Serving {
    pub(crate) socket: ServerSocket,
    pub(crate) membership: Membership,
    watcher: Watcher,
    poller: Poller,
    batch: Batch,
    heard: Vec<(Vec<u8>, Arrival)>,
}

impl Serving {
    pub(crate) fn start(pattern: &str) -> Self {
        let socket = ServerSocket::bind(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, SERVER_PORT, 0, 0)).unwrap();
        let watcher = Watcher::start().unwrap();
        let mut membership = Membership::new(GROUPS_OF_SERVERS, Patterns::new([pattern]));
        membership.reconcile(&socket).unwrap();
        let (poller, batch) = (Poller::new().unwrap(), Batch::new());
        Self { socket, membership, watcher, poller, batch, heard: Vec::new() }
    }

    /// Waits for one event, or for the moment.
    fn step(&mut self, until: Instant) {
        let sources = [self.socket.as_fd(), self.watcher.as_fd()];
        let ready = self.poller.wait(&sources, Some(until)).unwrap();
        if ready.readable(1) {
            self.watcher.drain().unwrap();
            self.membership.reconcile(&self.socket).unwrap();
        }
        self.socket.receive(&mut self.batch).unwrap();
        let admitted = self.batch.received().filter(|received| self.membership.admits(&received.arrival));
        self.heard.extend(admitted.map(|received| (received.octets.to_vec(), received.arrival)));
    }

    /// Serves until that is so.
    fn serve_until(&mut self, so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so(self) {
            assert!(Instant::now() < end, "it does not come to that; heard: {:?}", self.heard);
            self.step(end);
        }
    }

    /// Lets somebody send, again and again as a client does, until the octets are heard.
    pub(crate) fn hear(&mut self, octets: &[u8], to: Ipv6Addr, from: &FarSocket) -> Arrival {
        let end = Instant::now() + PATIENCE;
        loop {
            from.send(octets, to, SERVER_PORT);
            self.step(Instant::now() + AGAIN);
            if let Some((_, arrival)) = self.heard.iter().find(|(heard, _)| heard == octets) {
                return *arrival;
            }
            assert!(Instant::now() < end, "{octets:?} is never heard");
        }
    }

    fn names(&self) -> Vec<&str> {
        self.membership.served().map(|(_, name)| name).collect()
    }
}

// DH-T-01
#[test]
fn an_interface_is_served_when_it_comes_and_when_it_comes_again() {
    in_namespaces(|far| {
        let mut serving = Serving::start("lan?");
        assert_eq!(serving.names(), Vec::<&str>::new());
        let first = come_and_be_heard(&mut serving, far, b"first");
        ip("link delete lan0");
        serving.serve_until(|serving| serving.names().is_empty());
        assert_eq!(serving.membership.name(first), None);
        come_and_be_heard(&mut serving, far, b"second");
        assert_eq!(serving.socket.counters().join_failures.load(Relaxed), 0);
    });
}

/// Both groups are heard on it, by its index.
fn come_and_be_heard(serving: &mut Serving, far: &Far, octets: &[u8]) -> u32 {
    let index = far.lay_cable("lan0", "client0", "fe80::1/64");
    serving.serve_until(|serving| serving.membership.name(index) == Some("lan0"));
    let client = far.socket("fe80::1", "client0", 0);
    for group in [ALL_RELAY_AGENTS_AND_SERVERS, ALL_SERVERS] {
        let octets = [octets, &group.octets()].concat();
        let arrival = serving.hear(&octets, group, &client);
        assert_eq!((arrival.destination, arrival.interface_index), (group, index));
        assert_eq!(arrival.source.scope_id(), index);
    }
    index
}

#[test]
fn an_interface_made_anew_with_the_same_index_is_joined_anew() {
    in_namespaces(|far| {
        let mut serving = Serving::start("lan?");
        let index = come_and_be_heard(&mut serving, far, b"first");
        // Between two looks at what is there: nothing has changed, except that all is lost.
        ip("link delete lan0");
        far.lay_cable_with_index("lan0", index, "client0", "fe80::1/64");
        let client = far.socket("fe80::1", "client0", 0);
        let arrival = serving.hear(b"second", ALL_RELAY_AGENTS_AND_SERVERS, &client);
        assert_eq!(arrival.interface_index, index);
    });
}

// DH-T-01
#[test]
fn multicast_is_heard_on_served_interfaces_only() {
    in_namespaces(|far| {
        let mut serving = Serving::start("lan*");
        far.lay_cable("lan0", "client0", "fe80::1/64");
        let other = far.lay_cable("wan0", "client1", "fe80::1/64");
        serving.serve_until(|serving| serving.names() == ["lan0"]);
        // Somebody else on the host being in the group must not let it in.
        let neighbour = std::net::UdpSocket::bind("[::]:0").unwrap();
        neighbour.join_multicast_v6(&ALL_RELAY_AGENTS_AND_SERVERS, other).unwrap();
        let (client, stranger) = (far.socket("fe80::1", "client0", 0), far.socket("fe80::1", "client1", 0));
        // Unicast shows that the stranger's cable works; then nothing but the group itself can keep it out.
        serving.hear(b"unicast", "fe80::2".parse().unwrap(), &stranger);
        for _ in 0..10 {
            stranger.send(b"stranger", ALL_RELAY_AGENTS_AND_SERVERS, SERVER_PORT);
        }
        client.send(b"all nodes", "ff02::1".parse().unwrap(), SERVER_PORT);
        serving.hear(b"client", ALL_RELAY_AGENTS_AND_SERVERS, &client);
        serving.hear(b"after", "fe80::2".parse().unwrap(), &stranger);
        assert!(serving.heard.iter().all(|(octets, _)| octets != b"stranger" && octets != b"all nodes"));
    });
}

#[test]
fn interfaces_beyond_what_one_socket_can_hold_are_served_too() {
    in_namespaces(|far| {
        // Room for a few memberships; old kernels have one limit for all namespaces.
        if std::fs::write("/proc/sys/net/core/optmem_max", "512").is_err() {
            return not_tested("this kernel has no limit of memberships for a namespace alone");
        }
        let mut serving = Serving::start("lan*");
        let cables = [("lan0", "client0"), ("lan1", "client1"), ("lan2", "client2"), ("lan3", "client3")];
        let more = (4..20).map(|number| format!("link add lan{number} type veth peer name other{number}"));
        more.for_each(|link| ip(&link));
        for (near, client) in cables {
            let index = far.lay_cable(near, client, "fe80::1/64");
            let client = far.socket("fe80::1", client, 0);
            let arrival = serving.hear(near.as_bytes(), ALL_RELAY_AGENTS_AND_SERVERS, &client);
            assert_eq!(arrival.interface_index, index);
        }
        assert_eq!(serving.names().len(), 20);
        // Those that hold the first ones may go; the others are held by others.
        (4..20).for_each(|number| ip(&format!("link delete lan{number}")));
        serving.serve_until(|serving| serving.names().len() == 4);
        assert_eq!(serving.socket.counters().join_failures.load(Relaxed), 0);
    });
}

#[test]
fn a_renamed_interface_is_served_by_its_new_name() {
    in_namespaces(|far| {
        let mut serving = Serving::start("lan*");
        let index = far.lay_cable("lan0", "client0", "fe80::1/64");
        serving.serve_until(|serving| serving.names() == ["lan0"]);
        ip("link set lan0 down");
        ip("link set lan0 name lan1");
        serving.serve_until(|serving| serving.names() == ["lan1"]);
        ip("link set lan1 name wan1");
        serving.serve_until(|serving| serving.names().is_empty());
        ip("link set wan1 name lan2");
        serving.serve_until(|serving| serving.membership.name(index) == Some("lan2"));
    });
}

#[test]
fn an_interface_without_ipv6_is_joined_when_it_gets_it() {
    in_namespaces(|_| {
        let mut serving = Serving::start("lan*");
        ip("link add lan0 mtu 1200 type veth peer name other");
        serving.serve_until(|serving| serving.socket.counters().join_failures.load(Relaxed) > 0);
        assert!(serving.names().is_empty());
        ip("link set lan0 mtu 1500");
        serving.serve_until(|serving| serving.names() == ["lan0"]);
    });
}

#[test]
fn groups_that_an_interface_loses_are_joined_again() {
    in_namespaces(|far| {
        let mut serving = Serving::start("lan*");
        let index = come_and_be_heard(&mut serving, far, b"first");
        // Below 1280 the kernel takes IPv6 away from the interface, addresses and groups; nobody is told.
        ip("link set lan0 mtu 1200");
        ip("link set lan0 mtu 1500");
        let client = far.socket("fe80::1", "client0", 0);
        let arrival = serving.hear(b"second", ALL_RELAY_AGENTS_AND_SERVERS, &client);
        assert_eq!(arrival.interface_index, index);
    });
}
