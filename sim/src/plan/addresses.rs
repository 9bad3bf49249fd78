//! Who has which address, on which segment: `2001:db8::/32` is where messages go, `3fff::/20` is what is
//! delegated, so that a trace can be read without a map.

use std::net::Ipv6Addr;

use wire::{Duid, Prefix};

use super::LinkNumber;

/// Where servers, relays and requestors meet.
const CORE: u16 = 0xffff;

/// A server's address in the core.
pub fn server(number: usize) -> Ipv6Addr {
    in_core(0x500, number)
}

/// A relay's address in the core.
pub fn relay(number: usize) -> Ipv6Addr {
    in_core(0x600, number)
}

/// A requestor's address in the core.
pub fn requestor(number: usize) -> Ipv6Addr {
    in_core(0x700, number)
}

fn in_core(block: u16, number: usize) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, CORE, 0, 0, 0, 0, block + small(number))
}

/// The address by which a relay names a link.
pub fn on_link(link: LinkNumber, relay: usize) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, link, 0, 0, 0, 0, 1 + small(relay))
}

/// What is on a link.
pub fn link_prefix(link: LinkNumber) -> Prefix {
    Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, link, 0, 0, 0, 0, 0), 64).expect("64 bits")
}

/// The first address that a server gives out on a link.
pub fn first_assigned(link: LinkNumber, server: usize) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, link, 0, 0xa, small(server), 0, 1)
}

/// From where a server delegates on a link: a pool of so many bits, at most 48.
pub fn delegated(link: LinkNumber, server: usize, length: u8) -> Prefix {
    Prefix::new(Ipv6Addr::new(0x3fff, small(server), link, 0, 0, 0, 0, 0), length)
        .expect("host bits are zero")
}

/// One of the addresses that a server gives out on a link, from 0.
pub fn assigned(link: LinkNumber, server: usize, number: u16) -> Ipv6Addr {
    Ipv6Addr::from_bits(first_assigned(link, server).to_bits() + u128::from(number))
}

/// One of the prefixes that a server delegates on a link, from 0: of 56 bits.
pub fn delegation(link: LinkNumber, server: usize, number: u16) -> Prefix {
    Prefix::new(Ipv6Addr::new(0x3fff, small(server), link, number << 8, 0, 0, 0, 0), 56)
        .expect("host bits are zero")
}

/// Any prefix of so many bits, as a client asks for it.
pub fn any_prefix(length: u8) -> Prefix {
    Prefix::new(Ipv6Addr::UNSPECIFIED, length).expect("128 bits at most")
}

/// Everything that anybody delegates.
pub fn all_delegated() -> Prefix {
    "3fff::/20".parse().expect("a prefix")
}

/// The link-local address of a node on one of its segments.
pub fn link_local(kind: u16, number: usize, segment: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, kind, segment, 1 + small(number))
}

/// A server's DUID.
pub fn server_id(number: usize) -> Duid {
    Duid::new(&[0, 2, 0, 0, 0x7e, 0xd9, 1, octet(number)]).expect("eight octets")
}

/// A relay's DUID.
pub fn relay_id(number: usize) -> Duid {
    Duid::new(&[0, 2, 0, 0, 0x7e, 0xd9, 2, octet(number)]).expect("eight octets")
}

/// A client's DUID.
pub fn client_id(number: usize) -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, octet(number)]).expect("ten octets")
}

/// One of the DUIDs of a vandal.
pub fn vandal_id(number: usize, name: u8) -> Duid {
    Duid::new(&[0, 2, 0, 0, 0x7e, 0xd9, 4, octet(number), name]).expect("nine octets")
}

/// A requestor's DUID.
pub fn requestor_id(number: usize) -> Duid {
    Duid::new(&[0, 2, 0, 0, 0x7e, 0xd9, 3, octet(number)]).expect("eight octets")
}

/// Relays that are not there, and that somebody has been heard through all the same.
pub const ABSENT_RELAYS: usize = 4;

/// The DUID of a relay that is not there.
pub fn absent_relay_id(number: usize) -> Duid {
    Duid::new(&[0, 2, 0, 0, 0x7e, 0xd9, 5, octet(number)]).expect("eight octets")
}

/// The Remote-ID that it has added, enterprise number and all.
pub fn absent_remote_id(number: usize) -> [u8; 6] {
    [0, 0, 0, 9, b'r', octet(number)]
}

/// A client that a server has from before.
pub fn stocked_client_id(server: usize, number: u16) -> Duid {
    let [high, low] = number.to_be_bytes();
    Duid::new(&[0, 2, 0, 0, 0x7e, 0xd9, 4, octet(server), high, low]).expect("ten octets")
}

/// Its address.
pub fn stocked_address(link: LinkNumber, server: usize, number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, link, 0, 0xb, small(server), 0, number)
}

/// One of its prefixes.
pub fn stocked_prefix(link: LinkNumber, server: usize, number: u16, part: u16) -> Prefix {
    let address = Ipv6Addr::new(0x3fff, 0x800 + small(server), link, number, part, 0, 0, 0);
    Prefix::new(address, 80).expect("host bits are zero")
}

fn small(number: usize) -> u16 {
    u16::try_from(number).expect("there are few of each kind")
}

fn octet(number: usize) -> u8 {
    u8::try_from(number).expect("there are few of each kind")
}
