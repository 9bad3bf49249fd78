//! What a peer can make large, and how large it may become.

use std::time::Duration;

/// Delegations of one client on one port, if nothing else is configured (RFC 8987 §4.2 G-7).
pub const DEFAULT_DELEGATIONS_PER_CLIENT: usize = 8;
/// Delegations on one port over all its clients, if nothing else is configured: a large access
/// network behind one interface, and no more than one customer with an interface of their own could
/// do harm with.
pub const DEFAULT_DELEGATIONS_PER_PORT: usize = 65_536;
/// Octets of the largest UDP payload: what does not fit is not sent.
pub const MAX_DATAGRAM_OCTETS: usize = 65_527;
/// Octets of an Interface-ID, Remote-ID or Subscriber-ID that we make: longer ones would leave no
/// room for what a client says in a packet of 1280 octets.
pub const MAX_IDENTIFIER_OCTETS: usize = 255;
/// Octets of all options that we supply for clients, for the same reason.
pub const MAX_SUPPLIED_OCTETS: usize = 512;
/// Options that we ask servers to echo; more would be no list that somebody means.
pub const MAX_ECHOED_OPTIONS: usize = 64;
/// Ports that are known by their Interface-ID, present or not. A server's answers name as many as it
/// likes.
pub const MAX_PORTS: usize = 1 << 20;
/// Leases told of by servers that could not be placed and are kept to be shown; more are counted.
pub const MAX_UNPLACED: usize = 10_000;
/// Questions under way on one connection: enough that a server need not wait for us, and as many as
/// Kea works on for one requestor.
pub const QUESTIONS_AT_ONCE: usize = 4;
/// How long after a new port has come servers are asked about it: at start they come one by one, and
/// together they cost one connection.
pub const PORTS_SETTLE: Duration = Duration::from_secs(1);
/// The pause between two looks for which there is a reason; there may be a reason at any time.
pub const LOOK_PAUSE: Duration = Duration::from_secs(2);
/// The pause before what the kernel would not do is tried again, the first time.
pub const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The same, after it has been doubled often enough.
pub const MAX_RETRY_PAUSE: Duration = Duration::from_secs(60);
/// Ends of delegations that are remembered while servers are asked, so that an older answer does not
/// bring them back: as many as a busy port has clients, and a few megabytes at most.
pub const MAX_GRAVES: usize = 65_536;
/// How long they are remembered: twice as long as an answer may be under way without anything coming
/// in on its connection (RFC 5460 §6.2).
pub const GRAVE_AGE: Duration = Duration::from_secs(600);
/// Delegations that are ended at once because their time is over, so that nobody waits for a city's.
pub const EXPIRED_AT_ONCE: usize = 1_000;
/// Notes on delegations in a second: a client can have one made with each message, and the disk is not
/// theirs to fill. More are lost.
pub const NOTES_PER_SECOND: u32 = 1_000;
/// Notes that wait to be written to a log; more are lost: who floods a log hides in it.
pub const MAX_NOTES: usize = 256;
