//! A frame around a DHCPv6 message, and the same frame around another one.
//!
//! Who answers or wraps inside a bridge has no address and speaks with those of others: what a frame says of both
//! ends, of its VLAN, and in its IPv6 header goes over into the one that is made of it. Only ports, lengths and
//! checksum are new.

use std::net::Ipv6Addr;

use etherparse::{Ipv6Header, UdpHeader, ip_number};

/// Octets of an Ethernet header without tags, to the end of its type.
const ETHERNET_OCTETS: usize = 14;
/// Where a tag stands: behind the addresses of both ends.
const TAG_AT: usize = 12;

/// A frame with an IPv6 packet with a UDP datagram, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    ethernet: [u8; ETHERNET_OCTETS],
    tag: Option<[u8; 4]>,
    ip: Ipv6Header,
    source_port: u16,
    message: &'a [u8],
}

/// What the kernel knows of a frame beside its octets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beside {
    /// The tag of IEEE 802.1Q that the kernel has taken out: what it is, and what it says.
    pub tag: Option<[u8; 4]>,
    /// Whether the UDP checksum is known to be right, or is yet to be computed, as within one machine.
    pub checksum_is_good: bool,
}

/// Why a frame is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFrame {
    /// It holds a part of a datagram.
    Fragment,
    /// It is cut, damaged, or something else altogether.
    Malformed,
}

impl<'a> Frame<'a> {
    /// From whom and to whom a frame with IPv6 is, whatever else it holds.
    pub fn ends(octets: &[u8]) -> Option<(Ipv6Addr, Ipv6Addr)> {
        let (ip, _) = Ipv6Header::from_slice(octets.get(ETHERNET_OCTETS..)?).ok()?;
        Some((ip.source_addr(), ip.destination_addr()))
    }

    /// Reads one, and compares its checksum.
    pub fn parse(octets: &'a [u8], beside: Beside) -> Result<Self, NoFrame> {
        let (ethernet, packet) = octets.split_first_chunk().ok_or(NoFrame::Malformed)?;
        let (ip, rest) = Ipv6Header::from_slice(packet).map_err(|_| NoFrame::Malformed)?;
        match ip.next_header {
            ip_number::UDP => {}
            ip_number::IPV6_FRAG => return Err(NoFrame::Fragment),
            _ => return Err(NoFrame::Malformed),
        }
        // A short frame is filled up behind its packet.
        let datagram = rest.get(..ip.payload_length.into()).ok_or(NoFrame::Malformed)?;
        let (udp, _) = UdpHeader::from_slice(datagram).map_err(|_| NoFrame::Malformed)?;
        let message = datagram.get(UdpHeader::LEN..udp.length.into()).ok_or(NoFrame::Malformed)?;
        if !beside.checksum_is_good && udp.calc_checksum_ipv6(&ip, message) != Ok(udp.checksum) {
            return Err(NoFrame::Malformed);
        }
        Ok(Self { ethernet: *ethernet, tag: beside.tag, ip, source_port: udp.source_port, message })
    }

    /// Who sent it, by its link-layer address.
    pub fn link_layer_source(&self) -> &[u8] {
        &self.ethernet[6..TAG_AT]
    }

    /// Who sent it.
    pub fn source(&self) -> Ipv6Addr {
        self.ip.source_addr()
    }

    /// To whom.
    pub fn destination(&self) -> Ipv6Addr {
        self.ip.destination_addr()
    }

    /// From which UDP port.
    pub fn source_port(&self) -> u16 {
        self.source_port
    }

    /// What is inside.
    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The same frame from and to other ports, around another message; nothing if that is too long for any frame.
    pub fn with(&self, source_port: u16, destination_port: u16, message: &[u8]) -> Option<Vec<u8>> {
        let payload_length = u16::try_from(UdpHeader::LEN + message.len()).ok()?;
        let ip = Ipv6Header { payload_length, ..self.ip.clone() };
        let udp = UdpHeader::with_ipv6_checksum(source_port, destination_port, &ip, message).ok()?;
        let (ends, ether_type) = self.ethernet.split_at(TAG_AT);
        let tag = self.tag.unwrap_or_default();
        let tag = if self.tag.is_some() { &tag[..] } else { &[] };
        Some([ends, tag, ether_type, &ip.to_bytes(), &udp.to_bytes(), message].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Beside = Beside { tag: None, checksum_is_good: true };
    const UNSURE: Beside = Beside { tag: None, checksum_is_good: false };
    const SOLICIT: &[u8] = &[1, 0x5c, 0xa1, 0xab, 0, 8, 0, 2, 0, 0];

    /// From a client, with traffic class, flow label and hop limit of its own.
    fn solicit() -> Vec<u8> {
        let built = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 7], [0x33, 0x33, 0, 1, 0, 2]).ip(
            etherparse::IpHeaders::Ipv6(
                Ipv6Header {
                    traffic_class: 0xb8,
                    flow_label: 0x12345.try_into().unwrap(),
                    payload_length: 0,
                    next_header: ip_number::UDP,
                    hop_limit: 3,
                    source: "fe80::7".parse::<Ipv6Addr>().unwrap().octets(),
                    destination: "ff02::1:2".parse::<Ipv6Addr>().unwrap().octets(),
                },
                etherparse::Ipv6Extensions::default(),
            ),
        );
        let mut octets = Vec::new();
        built.udp(546, 547).write(&mut octets, SOLICIT).unwrap();
        octets
    }

    #[test]
    fn a_frame_is_read_as_it_is() {
        let octets = solicit();
        for beside in [GOOD, UNSURE] {
            let frame = Frame::parse(&octets, beside).unwrap();
            assert_eq!(frame.link_layer_source(), [2, 0, 0, 0, 0, 7]);
            assert_eq!(frame.source().to_string(), "fe80::7");
            assert_eq!(frame.destination().to_string(), "ff02::1:2");
            assert_eq!((frame.source_port(), frame.message()), (546, SOLICIT));
            assert_eq!(frame.with(546, 547, SOLICIT).unwrap(), octets);
        }
    }

    // LDR-08, LDR-18
    #[test]
    fn what_a_frame_says_of_both_ends_goes_over() {
        let octets = solicit();
        let made = Frame::parse(&octets, UNSURE).unwrap().with(547, 1547, b"another message").unwrap();
        assert_eq!(made[..18], octets[..18], "Ethernet, and what IPv6 says before its length");
        assert_eq!(made[18..20], [0, 8 + 15]);
        assert_eq!(made[20..54], octets[20..54], "what IPv6 says behind it");
        assert_eq!(made[54..60], [2, 35, 6, 11, 0, 8 + 15]);
        let again = Frame::parse(&made, UNSURE).unwrap();
        assert_eq!(again.message(), b"another message");
    }

    #[test]
    fn a_tag_goes_over() {
        let octets = solicit();
        let beside = Beside { tag: Some([0x81, 0, 0x60, 100]), ..UNSURE };
        let made = Frame::parse(&octets, beside).unwrap().with(546, 547, SOLICIT).unwrap();
        assert_eq!(made[..12], octets[..12]);
        assert_eq!(made[12..16], [0x81, 0, 0x60, 100]);
        assert_eq!(made[16..], octets[12..]);
    }

    #[test]
    fn damage_and_what_fills_up_a_frame_is_told_apart() {
        let octets = solicit();
        let padded = [octets.as_slice(), &[0; 9]].concat();
        assert_eq!(Frame::parse(&padded, UNSURE).unwrap().message(), SOLICIT);
        for cut in 0..octets.len() {
            assert_eq!(Frame::parse(&octets[..cut], GOOD), Err(NoFrame::Malformed), "{cut}");
        }
        // All but what the checksum does not cover: Ethernet, and most of what IPv6 begins with.
        for at in 18..octets.len() {
            let mut damaged = octets.clone();
            damaged[at] ^= 0x10;
            assert!(at == 21 || Frame::parse(&damaged, UNSURE).is_err(), "{at}");
        }
        let mut unsummed = octets.clone();
        unsummed[60..62].fill(0);
        assert_eq!(Frame::parse(&unsummed, UNSURE), Err(NoFrame::Malformed));
        assert!(Frame::parse(&unsummed, GOOD).is_ok());
    }

    #[test]
    fn fragments_and_messages_without_a_frame_are_refused() {
        let mut fragment = solicit();
        fragment[20] = 44;
        assert_eq!(Frame::parse(&fragment, GOOD), Err(NoFrame::Fragment));
        let ends = Frame::ends(&fragment).map(|(source, destination)| format!("{source} {destination}"));
        assert_eq!(ends.as_deref(), Some("fe80::7 ff02::1:2"));
        let octets = solicit();
        assert_eq!(Frame::parse(&octets, GOOD).unwrap().with(547, 547, &[0; 65_528]), None);
    }
}
