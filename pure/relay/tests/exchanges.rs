//! Messages that pass: Replies with leases, Releases, and relays around them.

use std::net::Ipv6Addr;

use wire::{Duid, IaKind, Iaid, MessageType, OptionCode, Prefix, RelayMessage, TransactionId, Writer};

pub(crate) fn duid(number: u8) -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, number]).expect("ten octets")
}

pub(crate) fn server() -> Duid {
    Duid::new(&[0, 2, 0, 0, 0x7e, 0xd9, 1]).expect("seven octets")
}

pub(crate) fn prefix(text: &str) -> Prefix {
    text.parse().expect("a prefix")
}

/// A message between a client and the server, with what `options` adds.
pub(crate) fn message(
    message_type: MessageType,
    client: &Duid,
    options: impl FnOnce(&mut Writer<'_>),
) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    wire::ClientMessage::write(&mut writer, message_type, TransactionId::from_number(7), |w| {
        w.raw_option(OptionCode::CLIENTID, client.octets());
        w.raw_option(OptionCode::SERVERID, server().octets());
        options(w);
    });
    writer.finish().expect("a short message");
    octets
}

/// An association with leases: prefix (or host), preferred and valid seconds.
pub(crate) fn ia(w: &mut Writer<'_>, kind: IaKind, iaid: u32, leases: &[(Prefix, u32, u32)]) {
    w.ia(kind, Iaid(iaid), 0, 0, |w| {
        for (prefix, preferred_secs, valid_secs) in leases {
            match kind {
                IaKind::Address => w.ia_address(prefix.address(), *preferred_secs, *valid_secs),
                IaKind::Prefix => w.ia_prefix(*prefix, *preferred_secs, *valid_secs, |_| {}),
            }
        }
    });
}

/// An IA_PD with leases.
pub(crate) fn ia_pd(w: &mut Writer<'_>, iaid: u32, leases: &[(Prefix, u32, u32)]) {
    ia(w, IaKind::Prefix, iaid, leases);
}

/// As a relay wraps it.
pub(crate) fn wrapped(message_type: MessageType, octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    let header = RelayMessage {
        message_type,
        hop_count: 0,
        link_address: Ipv6Addr::UNSPECIFIED,
        peer_address: "fe80::1".parse().expect("an address"),
        options: wire::Options::default(),
    };
    header.encode_header(&mut writer);
    writer.raw_option(OptionCode::INTERFACE_ID, b"eth1");
    writer.raw_option(OptionCode::RELAY_MSG, octets);
    writer.finish().expect("a short message");
    out
}
