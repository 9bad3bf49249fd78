//! Which messages were said in a run, by whom, and which statuses with them: what a property never meets, it has
//! not judged.
//!
//! A datagram counts when it is sent, and a message on a stream when its last octet is written, whatever becomes
//! of it. A relay hands on what others have said, which counts as theirs; around it there is a message of its own.

use std::collections::BTreeMap;
use std::fmt;

use wire::{ClientMessage, MessageType, OptionCode, Options, RelayMessage, StatusCode};

use crate::nodes::NodeId;
use crate::reading::whole_messages;
use crate::universe::{Observed, StreamId};

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A server.
    Server,
    /// A relay.
    Relay,
    /// A client.
    Client,
    /// A requestor, honest or odd.
    Requestor,
    /// Somebody who keeps to nothing.
    Vandal,
    /// Somebody in a transcript.
    Guest,
}

impl Role {
    /// Every role.
    pub const ALL: &[Self] =
        &[Self::Server, Self::Relay, Self::Client, Self::Requestor, Self::Vandal, Self::Guest];

    fn of(node: NodeId) -> Self {
        match node {
            NodeId::Server(_) => Self::Server,
            NodeId::Relay(_) => Self::Relay,
            NodeId::Client(_) => Self::Client,
            NodeId::Requestor(_) => Self::Requestor,
            NodeId::Vandal(_) => Self::Vandal,
            NodeId::Guest(_) => Self::Guest,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Relay => "relay",
            Self::Client => "client",
            Self::Requestor => "requestor",
            Self::Vandal => "vandal",
            Self::Guest => "guest",
        })
    }
}

/// How often what was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// Messages whose outline is sound.
    pub messages: BTreeMap<(Role, MessageType), u64>,
    /// Statuses that have a name, wherever in a message they stand.
    pub statuses: BTreeMap<(Role, StatusCode), u64>,
}

impl Vocabulary {
    /// Adds what was said elsewhere.
    pub fn add(&mut self, other: &Self) {
        other.messages.iter().for_each(|(what, times)| *self.messages.entry(*what).or_default() += times);
        other.statuses.iter().for_each(|(what, times)| *self.statuses.entry(*what).or_default() += times);
    }

    fn datagram(&mut self, role: Role, mut octets: &[u8]) {
        while let Ok(RelayMessage { message_type, options, .. }) = RelayMessage::decode(octets) {
            self.note(role, message_type);
            let inside = options.first(OptionCode::RELAY_MSG).filter(|_| role != Role::Relay);
            let Some(inside) = inside else { return };
            octets = inside;
        }
        if role != Role::Relay {
            self.message(role, octets);
        }
    }

    fn message(&mut self, role: Role, octets: &[u8]) {
        let Ok(ClientMessage { message_type, options, .. }) = ClientMessage::decode(octets) else { return };
        self.note(role, message_type);
        use MessageType as M;
        if let M::Advertise | M::Reply | M::LeaseQueryReply | M::LeaseQueryDone = message_type {
            self.statuses_in(role, options);
        }
    }

    fn note(&mut self, role: Role, message_type: MessageType) {
        *self.messages.entry((role, message_type)).or_default() += 1;
    }

    fn statuses_in(&mut self, role: Role, options: Options<'_>) {
        for option in options.iter() {
            let fixed_octets = match option.code {
                OptionCode::STATUS_CODE => {
                    let code = option.data.first_chunk().map(|code| StatusCode(u16::from_be_bytes(*code)));
                    if let Some(code) = code.filter(|code| code.name().is_some()) {
                        *self.statuses.entry((role, code)).or_default() += 1;
                    }
                    continue;
                }
                OptionCode::IA_NA | OptionCode::IA_PD => 12,
                OptionCode::IAADDR => 24,
                OptionCode::IAPREFIX => 25,
                _ => continue,
            };
            if let Some(Ok(inside)) = option.data.get(fixed_octets..).map(Options::new) {
                self.statuses_in(role, inside);
            }
        }
    }
}

/// Listens to a run.
#[derive(Debug, Default)]
pub struct Listener {
    heard: Vocabulary,
    /// Beginnings of messages that are not whole yet.
    begun: BTreeMap<(StreamId, NodeId), Vec<u8>>,
}

impl Listener {
    /// Follows what happens.
    pub fn observe(&mut self, observed: &Observed) {
        match observed {
            Observed::Sent(datagram) => self.heard.datagram(Role::of(datagram.sender), &datagram.octets),
            Observed::Wrote(node, stream, octets) => self.wrote(*node, *stream, octets),
            Observed::Over(stream) => self.begun.retain(|(its, _), _| its != stream),
            _ => {}
        }
    }

    fn wrote(&mut self, node: NodeId, stream: StreamId, octets: &[u8]) {
        let joined = self.begun.remove(&(stream, node)).map(|begun| [&begun, octets].concat());
        let octets = joined.as_deref().unwrap_or(octets);
        let mut whole = 0;
        for message in whole_messages(octets) {
            self.heard.message(Role::of(node), message);
            whole += message.len() + 2;
        }
        if whole < octets.len() {
            self.begun.insert((stream, node), octets[whole..].to_vec());
        }
    }

    /// What was said so far.
    pub fn heard(&self) -> &Vocabulary {
        &self.heard
    }
}

#[cfg(test)]
mod tests {
    use wire::{IaKind, Iaid, TransactionId, Writer};

    use super::*;

    fn reply() -> Vec<u8> {
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets);
        ClientMessage::write(&mut writer, MessageType::Reply, TransactionId::from_number(1), |w| {
            w.ia(IaKind::Address, Iaid(1), 0, 0, |w| w.status(StatusCode::NO_BINDING, ""));
            w.status(StatusCode(999), "");
        });
        writer.finish().expect("a short message");
        octets
    }

    #[test]
    fn a_message_that_is_written_in_pieces_is_heard_once_with_the_statuses_in_it_that_have_a_name() {
        let (mut listener, message) = (Listener::default(), reply());
        let framed = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
        for piece in framed.chunks(7) {
            assert_eq!(*listener.heard(), Vocabulary::default());
            listener.wrote(NodeId::Server(0), StreamId::default(), piece);
        }
        assert_eq!(listener.heard.messages, [((Role::Server, MessageType::Reply), 1)].into());
        assert_eq!(listener.heard.statuses, [((Role::Server, StatusCode::NO_BINDING), 1)].into());
        assert!(listener.begun.is_empty());
    }
}
