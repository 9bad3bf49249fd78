//! What a requestor or a client can make large, and how large it may become.

use std::time::Duration;

/// Octets that a connection is filled with before they must be sent: enough for a few hundred
/// clients, so that the cost of sending is shared by many, and little for a reader that never reads.
pub const MAX_OUTPUT_OCTETS: usize = 256 * 1024;
/// Octets that one query may add before the next one of the connection has its turn. The client with
/// which it comes to them is told to its end.
pub const TURN_OCTETS: usize = 64 * 1024;
/// Octets of an answer that are told in smaller turns: more than the kernel takes off our hands by itself, so
/// that one who goes on reads.
pub const EARLY_OCTETS: u64 = 256 * 1024;
/// Octets that a query may add in each of those turns. Thousands that ask and do not read would else cost
/// work and memory that nobody has any good of.
pub const EARLY_TURN_OCTETS: usize = 16 * 1024;
/// Clients that one turn looks at: bounds how long a search keeps the table that finds little, among
/// expired leases or among a relay's clients on other links.
pub const TURN_CLIENTS: usize = 8 * 1024;
/// Octets received and not yet taken as queries, after which no more are read: one whole frame.
pub const MAX_WAITING_OCTETS: usize = 2 + wire::limits::MAX_MESSAGE_OCTETS;
/// Leases in one CLIENT_DATA. With 50 octets for each at the most, they leave room for the rest in
/// the 65,535 octets of a message.
pub const MAX_LEASES_IN_MESSAGE: usize = 1_000;
/// Octets of a CLIENT_DATA: leaves room for the message's own header, CLIENTID, SERVERID and time.
pub const MAX_CLIENT_DATA_OCTETS: usize = 65_000;
/// Octets of a leasequery's answer over UDP: what a datagram can carry (RFC 8200 §3, RFC 768).
pub const MAX_DATAGRAM_OCTETS: usize = 65_527;
/// Option codes in an ORO that are looked at; there are not that many options.
pub const MAX_REQUESTED_OPTIONS: usize = 64;
/// Links in one LQ_CLIENT_LINK: its answer stays well inside a datagram.
pub const MAX_CLIENT_LINKS: usize = 256;
/// Sources whose rate is watched one by one.
pub const MAX_RATED_SOURCES: usize = 4_096;
/// How long a query waits for a place among its requestor's queries before it is looked at again.
pub const ADMISSION_RETRY: Duration = Duration::from_millis(20);
/// How long a connection keeps its place when all are taken, nothing is being answered on it, and a requestor
/// wants to connect that has one connection less. Long enough for a question to come over any network.
pub const KEPT_AT_REST: Duration = Duration::from_secs(10);
/// Offers that are remembered at once, the oldest dropped first: more than any server advertises
/// within the time for which an offer is kept, and no more than a few megabytes.
pub const MAX_OFFERS: usize = 32 * 1024;
/// Identity associations in one message. No client is known to need more than a few.
pub const MAX_ASSOCIATIONS: usize = 64;
/// Options inside one identity association that are looked at.
pub const MAX_WISHES: usize = 64;
/// Leases of one client that are over and still remembered, the oldest forgotten first: one that asks
/// and gives back without end must not make its record grow.
pub const MAX_REMEMBERED_PER_CLIENT: usize = 64;
/// Addresses that rest because one client has declined them, after which it gets no more: a client
/// that declines whatever it is given would else empty the pool.
pub const MAX_DECLINED_PER_CLIENT: usize = 16;
/// Octets of a client's own options that are remembered: names and classes, not essays.
pub const MAX_KEPT_OPTION_OCTETS: usize = 256;
/// Clients that are told by Reconfigure at once, with some 200 octets each. All of them may answer in
/// the same moment, and that is as much as is good for a server; those that never answer keep their
/// place for eight minutes and a half.
pub const MAX_RECONFIGURATIONS: usize = 8 * 1024;
/// How long a client has to answer the first Reconfigure; REC_TIMEOUT in RFC 9915 §7.6.
pub const RECONFIGURE_FIRST_WAIT: Duration = Duration::from_secs(2);
/// How often it is told; REC_MAX_RC in RFC 9915 §7.6.
pub const RECONFIGURE_ATTEMPTS: u32 = 8;
