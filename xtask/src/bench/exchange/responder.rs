//! The raw limit: a server without a server. It answers from a template and knows nothing.
//!
//! What it reads of a message lies at places known beforehand, and what it leases is made of the client's number. Two threads do
//! nothing but receive and send by the batch, so that this is what the interfaces and the kernel allow.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::thread;

use anyhow::Result;
use wire::{MessageType, SERVER_PORT};

use super::case::{Case, Way};
use super::network::{SERVER, SERVER_INTERFACE};
use super::sender::ALL_SERVERS;
use super::template::{Client, Leases, Template};
use crate::bench::datagrams::{self, Inbox, Outbox};

/// What it is called.
const SERVER_ID: [u8; 10] = [0, 3, 0, 1, 0x02, 0, 0, 0, 0, 0xdd];
/// How many receive: as many as the server has processors.
const THREADS: usize = 2;

/// What the responder is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    case: Case,
}

/// Answers until it is killed.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let case = arguments.case;
    let socket = open(case.way)?;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| answer(&socket, case))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a responder does not panic"))
    })
}

fn open(way: Way) -> Result<UdpSocket> {
    let address = match way {
        Way::Direct => Ipv6Addr::UNSPECIFIED,
        Way::Relayed => SERVER,
    };
    let socket = UdpSocket::bind(SocketAddrV6::new(address, SERVER_PORT, 0, 0))?;
    if way == Way::Direct {
        let interface = nix::net::if_::if_nametoindex(SERVER_INTERFACE)?;
        socket.join_multicast_v6(&ALL_SERVERS, interface)?;
    }
    datagrams::prepare(&socket)?;
    Ok(socket)
}

fn answer(socket: &UdpSocket, case: Case) -> Result<()> {
    let template = |message_type| Template::compile(message_type, case, 0, &SERVER_ID);
    let (solicit, advertise) = (template(MessageType::Solicit)?, template(MessageType::Advertise)?);
    let reply = template(MessageType::Reply)?;
    let (mut inbox, mut outbox) = (Inbox::new(), Outbox::new());
    loop {
        inbox.await_some(socket)?;
        for (octets, from) in inbox.datagrams() {
            // A Request begins as a Solicit does: what is read of it lies in the same places.
            let (Some(question), Some(from)) = (solicit.read(octets), from) else { continue };
            let answer = if question.is_solicit { &advertise } else { &reply };
            let (client, id) = (question.client, question.id);
            outbox.add(from, answer.len(), |octets| answer.write(octets, client, id, &leases(client)));
        }
        outbox.send(socket)?;
    }
}

/// An address and a prefix that no other client has.
fn leases(client: Client) -> Leases {
    let mut leases = Leases::NONE;
    leases.address[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    leases.address[12..].copy_from_slice(&client.short_number());
    leases.prefix[..3].copy_from_slice(&[56, 0x3f, 0xff]);
    leases.prefix[3..7].copy_from_slice(&client.short_number());
    leases
}
