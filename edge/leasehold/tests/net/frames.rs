//! Whole frames, in by one interface and out by another.

use std::net::{SocketAddrV6, UdpSocket};
use std::os::fd::AsFd;
use std::time::Instant;

use leasehold::net::{ALL_RELAY_AGENTS_AND_SERVERS, Beside, Frame, FrameSocket, Poller};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use wire::{CLIENT_PORT, SERVER_PORT};

use crate::PATIENCE;
use crate::namespace::{Far, in_namespaces, ip};

/// A frame that came in: by which interface, its octets, and its tag.
type Came = (u32, Vec<u8>, Option<[u8; 4]>);

/// The next frame, which has to come.
fn receive(frames: &mut FrameSocket) -> Came {
    let poller = Poller::new().unwrap();
    let until = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < until, "no frame comes");
        poller.wait(&[frames.as_fd()], Some(until)).unwrap();
        if let Some(caught) = frames.receive().unwrap() {
            return (caught.interface_index, caught.octets.to_vec(), caught.beside.tag);
        }
    }
}

/// Cables to a client and to a server, and a frame that the client has sent.
fn solicited(far: &Far) -> (FrameSocket, [u32; 2], Vec<u8>) {
    let index = far.lay_cable("lan0", "client0", "fe80::1/64");
    let other = far.lay_cable("wan0", "server0", "fe80::9/64");
    far.run(|| ip("link set client0 address 02:00:00:00:00:07"));
    let mut frames = FrameSocket::open().unwrap();
    let client = far.socket("fe80::1", "client0", CLIENT_PORT);
    client.send(b"for another port", ALL_RELAY_AGENTS_AND_SERVERS, 9);
    client.send(b"solicit", ALL_RELAY_AGENTS_AND_SERVERS, SERVER_PORT);
    let (came_by, octets, tag) = receive(&mut frames);
    assert_eq!((came_by, tag), (index, None));
    (frames, [index, other], octets)
}

// LDR-08
#[test]
fn a_frame_goes_on_by_another_interface_from_and_to_the_same_ends() {
    in_namespaces(|far| {
        let (frames, [_, other], octets) = solicited(far);
        let server = far.socket("::", "server0", SERVER_PORT);
        let _member = far.run(|| {
            let member = UdpSocket::bind("[::]:0").unwrap();
            let index = if_nametoindex("server0").unwrap();
            member.join_multicast_v6(&ALL_RELAY_AGENTS_AND_SERVERS, index).unwrap();
            member
        });
        // Within one machine the checksum is not computed before somebody needs it.
        let beside = Beside { checksum_is_good: true, ..Default::default() };
        let frame = Frame::parse(&octets, beside).unwrap();
        assert_eq!(frame.link_layer_source(), [2, 0, 0, 0, 0, 7]);
        assert_eq!((frame.source_port(), frame.message()), (CLIENT_PORT, b"solicit".as_slice()));
        let made = frame.with(SERVER_PORT, SERVER_PORT, b"relayed").unwrap();
        let until = Instant::now() + PATIENCE;
        let (message, from) = loop {
            assert!(Instant::now() < until, "it never comes");
            frames.send(other, &made).unwrap();
            if let Some(received) = server.receive() {
                break received;
            }
        };
        assert_eq!(message, b"relayed");
        let scope = far.run(|| if_nametoindex("server0").unwrap());
        assert_eq!(from, SocketAddrV6::new("fe80::1".parse().unwrap(), SERVER_PORT, 0, scope));
    });
}

#[test]
fn a_tag_comes_in_beside_and_goes_out_inside() {
    const TAG: [u8; 4] = [0x81, 0, 0x60, 100];
    in_namespaces(|far| {
        let (mut frames, [index, _], octets) = solicited(far);
        let tagged = [&octets[..12], &TAG, &octets[12..]].concat();
        far.run(move || {
            let client = if_nametoindex("client0").unwrap();
            FrameSocket::open().unwrap().send(client, &tagged).unwrap();
        });
        let (came_by, again, tag) = receive(&mut frames);
        assert_eq!((came_by, &again, tag), (index, &octets, Some(TAG)));
    });
}

// LDR-10
#[test]
fn the_kernel_says_what_is_too_long_for_an_interface() {
    in_namespaces(|far| {
        let (mut frames, [_, other], octets) = solicited(far);
        let frame = |length: usize| [&octets[..14], &vec![0; length]].concat();
        assert_eq!(frames.send(other, &frame(1500)), Ok(()));
        assert_eq!(frames.send(other, &frame(1501)), Err(Errno::EMSGSIZE));
        ip("link set wan0 mtu 1400");
        assert_eq!(frames.send(other, &frame(1401)), Err(Errno::EMSGSIZE));
        ip("link delete wan0");
        assert!(frames.send(other, &frame(100)).is_err());
        frames.look_around().unwrap();
        assert_eq!(frames.send(other, &frame(100)), Err(Errno::ENODEV));
    });
}
