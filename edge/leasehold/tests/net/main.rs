//! The sockets of the server: on loopback, and with interfaces that come and go in network namespaces; and
//! what is asked of the kernel and told to it.

mod bridge;
mod commands;
mod frames;
mod kernel;
mod link_layer;
mod loopback;
mod namespace;
mod relay;
mod served;
mod server;
mod ways;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use leasehold::net::{Arrival, Batch, Poller, ServerSocket};

/// How long something that must happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Receives until so many datagrams have come.
fn receive(socket: &ServerSocket, count: usize) -> Vec<(Vec<u8>, Arrival)> {
    let (poller, mut batch) = (Poller::new().unwrap(), Batch::new());
    let until = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    while all.len() < count {
        assert!(Instant::now() < until, "{} of {count} datagrams came", all.len());
        poller.wait(&[socket.as_fd()], Some(until)).unwrap();
        socket.receive(&mut batch).unwrap();
        all.extend(batch.received().map(|received| (received.octets.to_vec(), received.arrival)));
    }
    all
}
