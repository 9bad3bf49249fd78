//! Relays: what they put around a message.

use std::net::Ipv6Addr;

use wire::{Duid, MessageType, OptionCode, Options, RelayMessage, Writer};

use super::{CLIENT, address};

/// One relay, and what it says of the clients behind it.
#[derive(Debug, Clone)]
pub(crate) struct Relay {
    /// From where it sends to the server.
    pub(crate) address: Ipv6Addr,
    link_address: Ipv6Addr,
    peer_address: Ipv6Addr,
    options: Vec<u8>,
}

impl Relay {
    pub(crate) fn at(link_address: &str) -> Self {
        Self {
            address: address("2001:db8:ffff::1"),
            link_address: address(link_address),
            peer_address: CLIENT,
            options: Vec::new(),
        }
    }

    pub(crate) fn option(mut self, code: OptionCode, data: &[u8]) -> Self {
        let mut writer = Writer::new(&mut self.options);
        writer.raw_option(code, data);
        writer.finish().unwrap();
        self
    }

    pub(crate) fn interface_id(self, name: &str) -> Self {
        self.option(OptionCode::INTERFACE_ID, name.as_bytes())
    }

    pub(crate) fn relay_id(self, duid: &Duid) -> Self {
        self.option(OptionCode::RELAY_ID, duid.octets())
    }

    pub(crate) fn remote_id(self, name: &str) -> Self {
        self.option(OptionCode::REMOTE_ID, &[&[0, 0, 1, 2], name.as_bytes()].concat())
    }

    /// Supplies an option for the client (RFC 6422).
    pub(crate) fn supplying(self, options: &[(OptionCode, &[u8])]) -> Self {
        let mut supplied = Vec::new();
        let mut writer = Writer::new(&mut supplied);
        options.iter().for_each(|(code, data)| writer.raw_option(*code, data));
        writer.finish().unwrap();
        self.option(OptionCode::RSOO, &supplied)
    }

    /// A Relay-forward with this message inside.
    pub(crate) fn wrap(&self, hop_count: u8, message: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets);
        let header = RelayMessage {
            message_type: MessageType::RelayForward,
            hop_count,
            link_address: self.link_address,
            peer_address: self.peer_address,
            options: Options::default(),
        };
        header.encode(&mut writer);
        writer.bytes(&self.options);
        writer.raw_option(OptionCode::RELAY_MSG, message);
        writer.finish().unwrap();
        octets
    }
}
