//! The raw limit: a relay that does nothing. It sends on what it receives, as it is.
//!
//! A thread for each direction receives and sends by the batch, so that this is what the interfaces and the kernel allow.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::thread;

use anyhow::Result;
use nix::sys::socket::SockaddrIn6;
use wire::{CLIENT_PORT, SERVER_PORT};

use super::site::{ALL_RELAYS, CLIENT, LOWER, RELAY, SERVER, open};
use crate::bench::datagrams::{Inbox, Outbox};

/// Forwards until it is killed.
pub(crate) fn run() -> Result<()> {
    let interface = nix::net::if_::if_nametoindex(LOWER)?;
    let lower = open(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, SERVER_PORT, 0, 0))?;
    lower.join_multicast_v6(&ALL_RELAYS, interface)?;
    let upper = open(SocketAddrV6::new(RELAY, SERVER_PORT, 0, 0))?;
    let server = SocketAddrV6::new(SERVER, SERVER_PORT, 0, 0);
    let client = SocketAddrV6::new(CLIENT, CLIENT_PORT, 0, interface);
    thread::scope(|scope| {
        let up = scope.spawn(|| forward(&lower, &upper, server));
        let back = scope.spawn(|| forward(&upper, &lower, client));
        [up, back].into_iter().try_for_each(|thread| thread.join().expect("a forwarder does not panic"))
    })
}

fn forward(from: &UdpSocket, by: &UdpSocket, to: SocketAddrV6) -> Result<()> {
    let (mut inbox, mut outbox) = (Inbox::new(), Outbox::new());
    let to = SockaddrIn6::from(to);
    loop {
        inbox.await_some(from)?;
        for (octets, _) in inbox.datagrams() {
            outbox.add(to, octets.len(), |into| into.copy_from_slice(octets));
        }
        outbox.send(by)?;
    }
}
