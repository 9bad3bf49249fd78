//! What a client or a configuration can make large, and how large it may become.

/// Octets of a relay path that is kept. It must fit, with the relays' own headers, into a
/// CLIENT_DATA option beside a lease (RFC 5460 §5.1): what could never be sent is not kept.
pub const MAX_RELAY_PATH_OCTETS: usize = 60_000;
/// Octets of the client's own options that are kept: what one datagram could bring.
pub const MAX_HELD_OPTION_OCTETS: usize = 65_535;
/// Identity associations of one client on one link, and leases in one of them: what their 16-bit
/// counts in the image can say.
pub const MAX_BINDINGS: usize = 65_535;
