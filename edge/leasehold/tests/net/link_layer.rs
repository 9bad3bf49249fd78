//! What the frames of those who send to us had as link-layer address.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::os::fd::AsFd;
use std::thread;
use std::time::Instant;

use leasehold::net::{
    ALL_RELAY_AGENTS_AND_SERVERS, Batch, GROUPS_OF_RELAYS, LinkLayerTap, Membership, Patterns, Poller,
    ServerSocket,
};
use wire::{CLIENT_PORT, SERVER_PORT};

use crate::PATIENCE;
use crate::namespace::{Far, FarSocket, in_namespaces, ip};

/// A relay's side: a socket, the groups, and the tap.
struct Hearing {
    socket: ServerSocket,
    tap: LinkLayerTap,
    poller: Poller,
    batch: Batch,
    _membership: Membership,
}

/// A datagram, and the link-layer address that goes with it.
type Heard = (Vec<u8>, Option<(u16, Vec<u8>)>);

impl Hearing {
    fn start(pattern: &str) -> Self {
        let tap = LinkLayerTap::open().unwrap();
        let socket = ServerSocket::bind(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, SERVER_PORT, 0, 0)).unwrap();
        let mut membership = Membership::new(GROUPS_OF_RELAYS, Patterns::new([pattern]));
        membership.reconcile(&socket).unwrap();
        let (poller, batch) = (Poller::new().unwrap(), Batch::new());
        Self { socket, tap, poller, batch, _membership: membership }
    }

    /// Waits for one batch, drains the tap and looks up, in this order.
    fn hear(&mut self, until: Instant) -> Vec<Heard> {
        self.poller.wait(&[self.socket.as_fd()], Some(until)).unwrap();
        self.socket.receive(&mut self.batch).unwrap();
        self.tap.drain().unwrap();
        let heard = self.batch.received().map(|received| {
            let arrival = received.arrival;
            let found = self.tap.lookup(arrival.interface_index, *arrival.source.ip());
            let found = found.map(|found| (found.hardware_type, found.address().to_vec()));
            (received.octets.to_vec(), found)
        });
        heard.collect()
    }

    /// Has somebody send until it is heard.
    fn hear_from(&mut self, sender: &FarSocket, octets: &[u8], to: Ipv6Addr) -> Heard {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "{octets:?} is never heard");
            sender.send(octets, to, SERVER_PORT);
            let heard = self.hear(Instant::now() + crate::namespace::AGAIN);
            if let Some(heard) = heard.into_iter().find(|(heard, _)| heard == octets) {
                return heard;
            }
        }
    }
}

/// A client's end of a cable, with this hardware address.
fn client(far: &Far, near: &str, far_end: &'static str, hardware: &'static str, port: u16) -> FarSocket {
    far.lay_cable(near, far_end, "fe80::1/64");
    far.run(move || ip(&format!("link set {far_end} address {hardware}")));
    far.socket("fe80::1", far_end, port)
}

// REL-21
#[test]
fn the_link_layer_address_is_that_of_the_frame_on_its_interface() {
    in_namespaces(|far| {
        let first = client(far, "lan0", "client0", "02:00:00:00:00:07", CLIENT_PORT);
        let second = client(far, "lan1", "client1", "02:00:00:00:00:08", 50_000);
        let third = client(far, "lan2", "client2", "02:00:00:00:00:09", 50_000);
        let mut hearing = Hearing::start("lan*");
        let ethernet = |last| Some((1, vec![2, 0, 0, 0, 0, last]));
        // Whole datagrams that came in pieces, too.
        let (_, found) = hearing.hear_from(&third, &[7; 4000], ALL_RELAY_AGENTS_AND_SERVERS);
        assert_eq!(found, ethernet(9));
        for (sender, octets, last) in [(&first, b"first", 7), (&second, b"other", 8), (&first, b"again", 7)] {
            let (_, found) = hearing.hear_from(sender, octets, ALL_RELAY_AGENTS_AND_SERVERS);
            assert_eq!(found, ethernet(last));
        }
        let (_, found) = hearing.hear_from(&second, b"unicast", "fe80::2".parse().unwrap());
        assert_eq!(found, ethernet(8));
    });
}

// REL-21
#[test]
fn a_link_without_link_layer_addresses_has_none_to_tell() {
    in_namespaces(|_| {
        let mut hearing = Hearing::start("none");
        let socket = UdpSocket::bind("[::1]:0").unwrap();
        socket.send_to(b"loopback", ("::1", SERVER_PORT)).unwrap();
        let heard = hearing.hear(Instant::now() + PATIENCE);
        assert_eq!(heard, [(b"loopback".to_vec(), None)]);
    });
}

// REL-21
#[test]
fn a_crowd_is_known_to_the_last_while_it_goes_on_talking() {
    const CLIENTS: usize = 100;
    const ROUNDS: usize = 100;
    in_namespaces(|far| {
        let _cable = client(far, "lan0", "client0", "02:00:00:00:00:07", CLIENT_PORT);
        let sockets: Vec<FarSocket> = (0..CLIENTS).map(|number| one_of_a_crowd(far, number)).collect();
        let mut hearing = Hearing::start("lan*");
        let _everybody_speaks = thread::spawn(move || {
            for socket in (0..ROUNDS).flat_map(|_| &sockets) {
                socket.send(b"hello", ALL_RELAY_AGENTS_AND_SERVERS, SERVER_PORT);
            }
        });
        let deadline = Instant::now() + PATIENCE;
        let mut heard = 0;
        while heard < CLIENTS * ROUNDS {
            assert!(Instant::now() < deadline, "{heard} of {} datagrams came", CLIENTS * ROUNDS);
            for (_, found) in hearing.hear(deadline) {
                assert_eq!(found, Some((1, vec![2, 0, 0, 0, 0, 7])), "after {heard} datagrams");
                heard += 1;
            }
        }
    });
}

/// A socket with an address of its own.
fn one_of_a_crowd(far: &Far, number: usize) -> FarSocket {
    let address: &'static str = format!("fe80::1:{number:x}").leak();
    far.run(move || ip(&format!("addr add {address}/64 dev client0 nodad")));
    far.socket(address, "client0", 0)
}
