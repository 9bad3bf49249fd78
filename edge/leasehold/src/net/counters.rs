//! What has happened at a socket, as numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of one socket. Reading and counting need no lock.
#[derive(Debug, Default)]
pub struct Counters {
    /// Datagrams received whole, with all that is to be known about them.
    pub received: AtomicU64,
    /// Datagrams dropped because they, or what the kernel says about them, came in cut.
    pub cut: AtomicU64,
    /// Datagrams handed to the kernel.
    pub sent: AtomicU64,
    /// Datagrams that the kernel refused to send: no route, no such interface or source address.
    pub refused: AtomicU64,
    /// Datagrams dropped because the socket stayed full for too long.
    pub stalled: AtomicU64,
    /// Interfaces whose groups could not be joined, counted at each attempt.
    pub join_failures: AtomicU64,
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Relaxed);
}
