//! A sender: the sockets and the templates of one thread of the generator, at an address of its own.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn6, bind, setsockopt, socket, sockopt};
use wire::{CLIENT_PORT, MessageType, SERVER_PORT};

use super::answer;
use super::case::{Case, Way};
use super::flights::Flights;
use super::network::{CLIENT_INTERFACE, Network, SERVER, client_address, relay_address};
use super::template::{Client, Leases, Questions};
use crate::bench::datagrams::{self, Inbox, Train};

/// All_DHCP_Relay_Agents_and_Servers (RFC 9915 §7.1).
pub(super) const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// How long an answer is waited for when there is only one question.
const TRY: Duration = Duration::from_millis(100);
/// Answers to an earlier step have ended when there is none for so long.
const QUIET: Duration = Duration::from_millis(200);
/// They have to, within this time.
const MAX_DRAIN: Duration = Duration::from_secs(30);

/// Clients' messages leave here, or a relay's.
pub(super) struct Sender {
    pub(super) number: u16,
    /// Takes the answers.
    pub(super) receives: UdpSocket,
    /// Connected, so that sending is cheap; the same socket, unless the questions are multicast.
    pub(super) sends: UdpSocket,
    pub(super) questions: Questions,
}

impl Sender {
    /// The sender with this number, which does not know yet how the server is called.
    pub(super) fn open(number: u16, case: Case, network: &Network) -> Result<Self> {
        let interface = network.client.interface_number(CLIENT_INTERFACE)?;
        let (at, to) = match case.way {
            Way::Direct => (
                SocketAddrV6::new(client_address(number), CLIENT_PORT, 0, interface),
                SocketAddrV6::new(ALL_SERVERS, SERVER_PORT, 0, interface),
            ),
            Way::Relayed => (
                SocketAddrV6::new(relay_address(number), SERVER_PORT, 0, 0),
                SocketAddrV6::new(SERVER, SERVER_PORT, 0, 0),
            ),
        };
        let (receives, sends) = network.client.within(|| sockets(at, to))?;
        Ok(Self { number, receives, sends, questions: Questions::compile(case, number, &[])? })
    }

    /// Sends a Solicit; the server's DUID, if an Advertise comes soon.
    pub(super) fn ask_once(&self, case: Case, client: Client) -> Result<Option<Vec<u8>>> {
        let mut flights = Flights::new(1, random());
        let id = flights.begin(0);
        let solicit = &self.questions.solicit;
        let mut train = Train::new(solicit.len());
        train.add(|octets| solicit.write(octets, client, id, &Leases::NONE));
        train.send(&self.sends)?;
        let mut inbox = Inbox::new();
        while datagrams::wait(&self.receives, TRY)? {
            inbox.receive(&self.receives)?;
            for (octets, _) in inbox.datagrams() {
                let Some(message) = answer::unwrap(octets, case.way) else { continue };
                if message.message_type == MessageType::Advertise && message.transaction_id == id {
                    let server_id = message.options.server_id()?.context("an Advertise without SERVERID")?;
                    return Ok(Some(server_id.octets().to_vec()));
                }
            }
        }
        Ok(None)
    }

    /// Throws away what still comes of an earlier step.
    pub(super) fn drain(&self) -> Result<()> {
        let mut inbox = Inbox::new();
        let begun = Instant::now();
        while begun.elapsed() < MAX_DRAIN && datagrams::wait(&self.receives, QUIET)? {
            inbox.receive(&self.receives)?;
        }
        Ok(())
    }
}

/// The socket that receives and the one that sends. The latter is connected, which makes sending cheaper; what answers a
/// multicast comes from an address that it is not connected to, and so the former is another one then.
fn sockets(at: SocketAddrV6, to: SocketAddrV6) -> Result<(UdpSocket, UdpSocket)> {
    let open = || -> Result<UdpSocket> {
        let socket = socket(AddressFamily::Inet6, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&socket, sockopt::ReusePort, &true)?;
        bind(socket.as_raw_fd(), &SockaddrIn6::from(at)).with_context(|| format!("cannot bind {at}"))?;
        let socket = UdpSocket::from(socket);
        datagrams::prepare(&socket)?;
        Ok(socket)
    };
    let sends = open()?;
    sends.connect(to)?;
    let receives = if to.ip().is_multicast() { open()? } else { sends.try_clone()? };
    Ok((receives, sends))
}

/// What nobody can foresee.
pub(super) fn random() -> u32 {
    RandomState::new().hash_one(0) as u32
}
