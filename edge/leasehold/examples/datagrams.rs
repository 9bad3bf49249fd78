//! Datagrams a second that one thread receives and sends back over loopback: in batches, and one at a time,
//! both times with what a server has to know of each (interface and both addresses).
//!
//! Each round fills the server's socket first and takes the time only of receiving all of it and sending it
//! back, so the other end costs nothing but the delivery that loopback makes the sender do. Run it with
//! `cargo run --release -p leasehold --example datagrams`; as root, for else the sockets are too small.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use leasehold::net::{Batch, Outgoing, Received, ServerSocket};
use nix::libc::in6_pktinfo;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg};

/// Datagrams a round: they fit into the socket's buffer.
const ROUND: usize = 4096;
const ROUNDS: usize = 60;
/// About what a Request for an address and a prefix takes.
const OCTETS: usize = 200;

fn main() -> anyhow::Result<()> {
    let loopback = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
    let (server, client) = (ServerSocket::bind(loopback)?, ServerSocket::bind(loopback)?);
    let mut batch = Batch::new();
    let mut buffer = vec![0; 65_535];
    let at = server.local_address()?;
    measure("batches", &client, at, &mut |count| echo_batches(&server, &mut batch, count))?;
    measure("one at a time", &client, at, &mut |count| {
        for _ in 0..count {
            echo_one(&server, &mut buffer).expect("one waits, and loopback takes it");
        }
    })
}

fn measure(
    name: &str,
    client: &ServerSocket,
    to: SocketAddrV6,
    echo: &mut dyn FnMut(usize),
) -> anyhow::Result<()> {
    let (source, interface_index) = (Ipv6Addr::UNSPECIFIED, 0);
    let questions = vec![Outgoing { octets: vec![1; OCTETS], to, source, interface_index }; ROUND];
    let mut batch = Batch::new();
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        anyhow::ensure!(client.send(&questions) == ROUND, "not all could be sent");
        let started = Instant::now();
        echo(ROUND);
        took.push(started.elapsed());
        let mut back = 0;
        while let received @ 1.. = client.receive(&mut batch)? {
            back += received;
        }
        anyhow::ensure!(back == ROUND, "{back} of {ROUND} came back: the buffer is too small");
    }
    took.sort();
    let rate = |took: Duration| ROUND as f64 / took.as_secs_f64();
    println!("{name}: {:.0}/s in the middle, {:.0}/s at best", rate(took[ROUNDS / 2]), rate(took[0]));
    Ok(())
}

fn echo_batches(server: &ServerSocket, batch: &mut Batch, count: usize) {
    let mut echoed = 0;
    while echoed < count {
        echoed += server.receive(batch).expect("the socket works");
        let answer = |received: Received<'_>| {
            received.arrival.answer_relay(received.octets.to_vec(), received.arrival.source.port())
        };
        server.send(&batch.received().map(answer).collect::<Vec<_>>());
    }
}

fn echo_one(server: &ServerSocket, buffer: &mut [u8]) -> Option<()> {
    let fd = server.as_fd().as_raw_fd();
    let mut room = nix::cmsg_space!(in6_pktinfo);
    let (length, from, way) = {
        let mut slices = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrIn6>(fd, &mut slices, Some(&mut room), MsgFlags::empty()).ok()?;
        let Some(ControlMessageOwned::Ipv6PacketInfo(way)) = message.cmsgs().ok()?.next() else {
            return None;
        };
        (message.bytes, message.address?, way)
    };
    let way = [ControlMessage::Ipv6PacketInfo(&in6_pktinfo { ipi6_ifindex: 0, ..way })];
    sendmsg(fd, &[IoSlice::new(&buffer[..length])], &way, MsgFlags::empty(), Some(&from)).ok()?;
    Some(())
}
