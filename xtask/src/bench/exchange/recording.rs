//! Messages that other people's programs sent: a client (dhcpcd), a relay (dibbler), a server (Kea).
//!
//! The same exchange was recorded on both sides of the relay, so there is each message as the client sent it and as it was
//! relayed.

use anyhow::{Context, Result};
use wire::{Message, MessageType, Reader};

use super::case::Way;

const CLIENT_SIDE: &[u8] = include_bytes!("../../../../samples/captures/dhcpcd-dibbler-kea-client-side.pcap");
const SERVER_SIDE: &[u8] = include_bytes!("../../../../samples/captures/dhcpcd-dibbler-kea-server-side.pcap");

/// Octets before the first packet of a classic capture.
const FILE_HEADER_OCTETS: usize = 24;
/// Octets of a packet before the message: Ethernet, IPv6 without extension headers, UDP.
const PACKET_HEADER_OCTETS: usize = 14 + 40 + 8;

/// The recorded message of this type; relayed, the relay's message around it.
pub(super) fn message(message_type: MessageType, way: Way) -> Result<&'static [u8]> {
    let capture = match way {
        Way::Direct => CLIENT_SIDE,
        Way::Relayed => SERVER_SIDE,
    };
    let mut messages = packets(capture).filter_map(|packet| packet.get(PACKET_HEADER_OCTETS..));
    let recorded = messages.find(|octets| type_inside(octets) == Some(message_type));
    recorded.with_context(|| format!("no {message_type} is recorded"))
}

/// The type of a client's message, unwrapped if need be.
fn type_inside(octets: &[u8]) -> Option<MessageType> {
    match Message::decode(octets).ok()? {
        Message::Client(message) => Some(message.message_type),
        Message::Relay(relay) => type_inside(relay.relayed().ok()??),
    }
}

fn packets(capture: &'static [u8]) -> impl Iterator<Item = &'static [u8]> {
    let mut reader = Reader::new(&capture[FILE_HEADER_OCTETS..]);
    std::iter::from_fn(move || {
        let _time = reader.array::<8>().ok()?;
        let captured = u32::from_le_bytes(reader.array().ok()?);
        let _length_on_the_wire = reader.u32().ok()?;
        reader.take(captured as usize).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_are_there_both_ways() {
        use MessageType::{Advertise, RelayForward, RelayReply, Reply, Request, Solicit};
        for message_type in [Solicit, Advertise, Request, Reply] {
            assert_eq!(message(message_type, Way::Direct).unwrap()[0], message_type as u8);
        }
        for (message_type, around) in [(Request, RelayForward), (Reply, RelayReply)] {
            assert_eq!(message(message_type, Way::Relayed).unwrap()[0], around as u8);
        }
    }
}
