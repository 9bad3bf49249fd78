//! Writes a capture: the messages are what was on the sockets, the headers around them are made here.
//!
//! A classic pcap of raw IPv6 packets, a message in each. Both sides are `::1`; the server is put on port 547, where it belongs and
//! where tshark looks for it. Checksums are right, so that nothing has to be switched off to read them.

use std::net::Ipv6Addr;

use wire::SERVER_PORT;

use crate::judge::Transport;

/// Link type of packets that begin with the IP header.
const LINKTYPE_RAW: u32 = 101;
const REQUESTOR_PORT: u16 = 50_000;
const TCP_ACK_AND_PUSH: u8 = 0x18;
const TCP_HEADER_WORDS: u8 = 5;

/// A capture in the making.
pub(crate) struct Capture {
    transport: Transport,
    octets: Vec<u8>,
    packets: u32,
    /// Octets sent so far, by the requestor and by the server.
    sent: [u32; 2],
}

impl Capture {
    /// An empty one.
    pub(crate) fn new(transport: Transport) -> Self {
        let mut octets = Vec::new();
        octets.extend(0xa1b2_c3d4_u32.to_le_bytes());
        octets.extend([2_u16, 4].map(u16::to_le_bytes).as_flattened());
        octets.extend([0, 0, 65_535 + 40, LINKTYPE_RAW].map(u32::to_le_bytes).as_flattened());
        Self { transport, octets, packets: 0, sent: [0, 0] }
    }

    /// The requestor's next message.
    pub(crate) fn query(&mut self, message: &[u8]) {
        self.message(message, 0);
    }

    /// The server's next message.
    pub(crate) fn answer(&mut self, message: &[u8]) {
        self.message(message, 1);
    }

    /// The whole file.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn message(&mut self, message: &[u8], sender: usize) {
        let ports = if sender == 0 { [REQUESTOR_PORT, SERVER_PORT] } else { [SERVER_PORT, REQUESTOR_PORT] };
        let segment = match self.transport {
            Transport::Udp => udp(ports, message),
            Transport::Tcp => {
                let length = u16::try_from(message.len()).unwrap();
                let framed = [&length.to_be_bytes(), message].concat();
                let segment = tcp(ports, self.sent[sender], self.sent[1 - sender], &framed);
                self.sent[sender] += framed.len() as u32;
                segment
            }
        };
        self.packet(segment);
    }

    /// Appends the packet around a segment, a millisecond after the one before.
    fn packet(&mut self, segment: Vec<u8>) {
        let number = protocol_number(self.transport);
        let length = u16::try_from(segment.len()).unwrap();
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([number, 64]);
        packet.extend([Ipv6Addr::LOCALHOST.octets(), Ipv6Addr::LOCALHOST.octets()].as_flattened());
        packet.extend(with_checksum(segment, self.transport));

        self.packets += 1;
        let size = packet.len() as u32;
        let record = [self.packets / 1000, self.packets % 1000 * 1000, size, size];
        self.octets.extend(record.map(u32::to_le_bytes).as_flattened());
        self.octets.extend(packet);
    }
}

/// In the IP header.
fn protocol_number(transport: Transport) -> u8 {
    match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
    }
}

fn udp(ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    let mut segment = [ports[0], ports[1], length, 0].map(u16::to_be_bytes).as_flattened().to_vec();
    segment.extend(payload);
    segment
}

fn tcp(ports: [u16; 2], sequence: u32, acknowledged: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = ports.map(u16::to_be_bytes).as_flattened().to_vec();
    segment.extend([sequence, acknowledged].map(u32::to_be_bytes).as_flattened());
    segment.extend([TCP_HEADER_WORDS << 4, TCP_ACK_AND_PUSH]);
    segment.extend([u16::MAX, 0, 0].map(u16::to_be_bytes).as_flattened());
    segment.extend(payload);
    segment
}

/// Puts the checksum where it goes (RFC 8200 §8.1): both addresses are `::1`, and count 1 each.
fn with_checksum(mut segment: Vec<u8>, transport: Transport) -> Vec<u8> {
    let at = if transport == Transport::Udp { 6 } else { 16 };
    let words =
        segment.chunks(2).map(|pair| u64::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])));
    let mut sum = words.sum::<u64>() + segment.len() as u64 + u64::from(protocol_number(transport)) + 2;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    segment[at..at + 2].copy_from_slice(&(!sum as u16).to_be_bytes());
    segment
}
