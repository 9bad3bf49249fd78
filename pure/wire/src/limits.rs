//! What a peer can make large, and how large it may become.

/// Octets of a DUID: two of type and at least one of identifier (RFC 8415 §11.1).
pub const MIN_DUID_OCTETS: usize = 3;
/// Octets of a DUID: two of type and at most 128 of identifier (RFC 8415 §11.1).
pub const MAX_DUID_OCTETS: usize = 130;
/// Octets of a message in a TCP frame: what its 16-bit size can say (RFC 5460 §5.1).
pub const MAX_MESSAGE_OCTETS: usize = 65_535;
/// Octets of the smallest message, a bare header: what a frame must at least hold (RFC 5460 §5.1).
pub const MIN_MESSAGE_OCTETS: usize = 4;
/// Relays that a message may have passed before the next one stops relaying it (RFC 8415 §7.6).
pub const HOP_COUNT_LIMIT: usize = 8;
/// Relay-forwards inside one another in a message that arrives: the relays that the hop limit
/// allows behind the first one.
pub const MAX_RELAY_FORWARDS: usize = HOP_COUNT_LIMIT + 1;
/// Relay-forwards inside one another in a path that somebody remembers. RFC 3315 said 32, and what
/// servers built to it have stored is still to be read.
pub const MAX_RELAY_DEPTH: usize = 32;
