//! Relay-forwards, one level at a time.

use wire::{MessageType, Options, RelayMessage, Writer};

/// A Relay-forward with the options that `options` writes.
pub(crate) fn relay_forward(hop_count: u8, options: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let header = RelayMessage {
        message_type: MessageType::RelayForward,
        hop_count,
        link_address: "2001:db8:1::1".parse().unwrap(),
        peer_address: "fe80::1".parse().unwrap(),
        options: Options::default(),
    };
    header.encode_header(&mut writer);
    options(&mut writer);
    writer.finish().unwrap();
    octets
}
