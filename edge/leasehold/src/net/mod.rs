//! The sockets of DHCPv6 servers and relays: datagrams in batches, and the interfaces that are served.
//!
//! One `ServerSocket` hears everything: multicast on each served interface, and unicast on any address of the
//! host. With each datagram comes its `Arrival` (from where, to which address, by which interface), from which
//! alone the way of an answer follows. `Membership` keeps the interfaces that the `Patterns` name in
//! the groups, while they come and go; a `Watcher` says when to look again. A thread waits for all
//! of them with a `Poller`, another one ends its waiting with a `Waker`:
//!
//! ```no_run
//! # use leasehold::net::{Batch, GROUPS_OF_SERVERS, Membership, Patterns, Poller, ServerSocket, Watcher};
//! # use std::os::fd::AsFd;
//! # fn main() -> std::io::Result<()> {
//! let socket = ServerSocket::bind("[::]:547".parse().expect("an address"))?;
//! let watcher = Watcher::start()?; // before the first look, so that no change falls between the two
//! let mut membership = Membership::new(GROUPS_OF_SERVERS, Patterns::new(["lan*"]));
//! membership.reconcile(&socket)?;
//! let (poller, mut batch) = (Poller::new()?, Batch::new());
//! loop {
//!     let ready = poller.wait(&[socket.as_fd(), watcher.as_fd()], None)?;
//!     if ready.woken() {
//!         return Ok(());
//!     }
//!     if ready.readable(1) {
//!         watcher.drain()?;
//!         membership.reconcile(&socket)?;
//!     }
//!     if ready.readable(0) {
//!         socket.receive(&mut batch)?;
//!         for received in batch.received().filter(|received| membership.admits(&received.arrival)) {
//!             println!("{} octets from {}", received.octets.len(), received.arrival.source);
//!         }
//!     }
//! }
//! # }
//! ```
//!
//! What a peer or a vanished interface can cause is counted, and never an error that ends the server.

mod arrival;
mod batch;
mod counters;
mod frame;
mod frame_socket;
mod holders;
mod interfaces;
mod link_layer;
mod membership;
mod packet;
mod poller;
mod send;
mod socket;
mod watcher;

use std::net::Ipv6Addr;

pub use arrival::{Arrival, Outgoing};
pub use batch::{BATCH, Batch, Received};
pub use counters::Counters;
pub use frame::{Beside, Frame, NoFrame};
pub use frame_socket::{Caught, FrameSocket};
pub use interfaces::{Interface, Patterns, link_local_addresses};
pub use link_layer::{LinkLayer, LinkLayerTap};
pub use membership::{GROUPS_OF_RELAYS, GROUPS_OF_SERVERS, Membership};
pub use poller::{Poller, Ready, Waker};
pub use socket::{RECEIVE_BUFFER_OCTETS, ServerSocket};
pub use watcher::Watcher;

/// The group that clients send to: relays and servers on a link (RFC 9915 §7.1).
pub const ALL_RELAY_AGENTS_AND_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// The group that relays may send to: servers of a site (RFC 9915 §7.1).
pub const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 1, 3);
