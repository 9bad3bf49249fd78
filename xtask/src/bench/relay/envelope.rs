//! What a relay puts around messages, learnt from the first that it forwards.
//!
//! A measurement sends nothing but messages of one length, so that what the relay makes of them always has its parts in
//! the same places; and what a server sends back has in it what the relay wants to see again.

use anyhow::{Context, Result, ensure};
use wire::{MessageType, OptionCode, RelayMessage};

/// The Relay-reply of a server, up to the message inside; empty if the relay puts nothing around anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    reply_begin: Vec<u8>,
    /// Where the message begins in what the relay forwards.
    inside_at: usize,
}

impl Envelope {
    /// Learns from the first message that came through.
    pub(super) fn learn(forwarded: &[u8]) -> Result<Self> {
        if forwarded.first() != Some(&(MessageType::RelayForward as u8)) {
            return Ok(Self { reply_begin: Vec::new(), inside_at: 0 });
        }
        let relay = RelayMessage::decode(forwarded)?;
        let inside = relay.relayed()?.context("a Relay-forward with nothing inside")?;
        let inside_at = inside.as_ptr() as usize - forwarded.as_ptr() as usize;
        ensure!(relay.peer_address == super::site::CLIENT, "the relay has not heard our client");
        let mut reply_begin = forwarded[..HEADER_OCTETS].to_vec();
        reply_begin[0] = MessageType::RelayReply as u8;
        if let Some(id) = relay.options.first(OptionCode::INTERFACE_ID) {
            put_header(&mut reply_begin, OptionCode::INTERFACE_ID, id.len());
            reply_begin.extend(id);
        }
        Ok(Self { reply_begin, inside_at })
    }

    /// A server's message around this one.
    pub(super) fn wrap(&self, message: &[u8]) -> Vec<u8> {
        let mut wrapped = self.reply_begin.clone();
        if !wrapped.is_empty() {
            put_header(&mut wrapped, OptionCode::RELAY_MSG, message.len());
        }
        wrapped.extend(message);
        wrapped
    }

    /// Octets before the message in what [`Self::wrap`] makes.
    pub(super) fn octets(&self) -> usize {
        self.wrap(&[]).len()
    }

    /// Makes an answer of what the relay has forwarded, where it stands: as little work as can be.
    pub(super) fn turn_round(&self, forwarded: &mut [u8]) {
        if !self.reply_begin.is_empty() {
            forwarded[0] = MessageType::RelayReply as u8;
        }
        forwarded[self.inside_at] = MessageType::Advertise as u8;
    }
}

/// Octets of a relay's message before its options (RFC 9915 §9).
const HEADER_OCTETS: usize = 34;

fn put_header(octets: &mut Vec<u8>, code: OptionCode, length: usize) {
    octets.extend(code.0.to_be_bytes());
    octets.extend((length as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_what_the_relay_wants_to_see_again() {
        let mut forwarded = vec![12, 0];
        forwarded.extend([0x20; 16]);
        forwarded.extend(super::super::site::CLIENT.octets());
        forwarded.extend([0, 18, 0, 2, b'e', b'0', 0, 9, 0, 4, 1, 7, 8, 9]);
        let envelope = Envelope::learn(&forwarded).unwrap();
        let answer = envelope.wrap(&[2, 7, 8, 9]);
        assert_eq!(answer.len(), envelope.octets() + 4);
        let relay = RelayMessage::decode(&answer).unwrap();
        assert_eq!((relay.message_type, relay.interface_id()), (MessageType::RelayReply, Some(&b"e0"[..])));
        assert_eq!(relay.relayed().unwrap(), Some(&[2, 7, 8, 9][..]));
        envelope.turn_round(&mut forwarded);
        assert_eq!(forwarded, answer);
    }

    #[test]
    fn where_nothing_is_around_messages_nothing_is_put_around() {
        let envelope = Envelope::learn(&[1, 7, 8, 9]).unwrap();
        assert_eq!(envelope.wrap(&[2, 7, 8, 9]), [2, 7, 8, 9]);
        let mut forwarded = [1, 7, 8, 9];
        envelope.turn_round(&mut forwarded);
        assert_eq!(forwarded, [2, 7, 8, 9]);
    }
}
