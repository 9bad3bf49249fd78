//! Interface identifiers that no client is given (RFC 9915 §13.1, RFC 5453 and its registry).

use std::net::Ipv6Addr;

/// From the first to the last, both included.
const RESERVED: [(u64, u64); 3] = [
    // The anycast address of a subnet's routers (RFC 4291 §2.6.1).
    (0, 0),
    // Made from IANA's own Ethernet block, Proxy Mobile IPv6 among them (RFC 5453, RFC 6543).
    (0x0200_5eff_fe00_0000, 0x0200_5eff_feff_ffff),
    // Anycast addresses of a subnet (RFC 2526).
    (0xfdff_ffff_ffff_ff80, 0xfdff_ffff_ffff_ffff),
];

/// Whether the address has a reserved interface identifier.
pub(super) fn is_reserved(address: Ipv6Addr) -> bool {
    let identifier = address.to_bits() as u64;
    RESERVED.iter().any(|(first, last)| (first..=last).contains(&&identifier))
}

/// The addresses in the same /64 that have a reserved interface identifier, as ranges.
pub(super) fn reserved_beside(address: Ipv6Addr) -> impl Iterator<Item = (Ipv6Addr, Ipv6Addr)> {
    let subnet = address.to_bits() & !u128::from(u64::MAX);
    let of = move |identifier: u64| Ipv6Addr::from_bits(subnet | u128::from(identifier));
    RESERVED.iter().map(move |(first, last)| (of(*first), of(*last)))
}
