//! A relay with two ports, and what its neighbours send to it.

use std::net::Ipv6Addr;

use relay::{Arrival, Delivery, Discard, Forwarded, Port, PortRules, Ports, Terms};
use wire::{LinkLayerAddress, MessageType, OptionCode, Options, RelayMessage, Writer};

/// The number of the port `ge-0/0/7` in the kernel.
pub(crate) const ACCESS: u32 = 7;
/// The number of the port `ge-0/0/8`.
pub(crate) const OTHER: u32 = 8;
/// The client of the vectors.
pub(crate) const CLIENT: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x200, 0xff, 0xfe00, 0x101);
/// A relay behind one of the ports.
pub(crate) const RELAY: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x77, 0, 0, 0, 0, 1);
/// A server.
pub(crate) const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x547);
/// The DUID of the relay of the vectors.
pub(crate) const RELAY_ID: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1];
/// The beginning of a Solicit.
pub(crate) const SOLICIT: &[u8] = &[1, 0x5c, 0xa1, 0xab, 0, 8, 0, 2, 0, 0];

pub(crate) fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// A port with an address on link `link` of the vectors.
pub(crate) fn port(index: u32, interface_id: &str, link: u16) -> Port {
    let link_address = Ipv6Addr::new(0x2001, 0xdb8, link, 0, 0, 0, 0, 1);
    Port {
        index,
        name: format!("eth{index}"),
        interface_id: interface_id.as_bytes().into(),
        link_address,
        addresses: vec![link_address],
        remote_id: None,
        subscriber_id: None,
        rules: PortRules::default(),
    }
}

/// One relay.
pub(crate) struct Relay {
    pub(crate) terms: Terms,
    pub(crate) ports: Ports,
}

impl Relay {
    /// With two ports, and nothing else that is not usual.
    pub(crate) fn usual() -> Self {
        Self::with(|_, _| {})
    }

    /// With two ports, the first one and the terms as `change` makes them.
    pub(crate) fn with(change: impl FnOnce(&mut Terms, &mut Port)) -> Self {
        let (mut terms, mut ports) = (Terms::default(), Ports::default());
        let mut access = port(ACCESS, "ge-0/0/7", 1);
        change(&mut terms, &mut access);
        ports.update(vec![access, port(OTHER, "ge-0/0/8", 2)]);
        Self { terms, ports }
    }

    /// What it sends upstream; behind octets that stay what they were.
    pub(crate) fn forward(&self, arrival: &Arrival<'_>, octets: &[u8]) -> Result<Vec<u8>, Discard> {
        let mut out = b"before".to_vec();
        let forwarded = relay::forward(&self.terms, &self.ports, arrival, octets, &mut out);
        let made = out.strip_prefix(b"before").expect("what was there stays");
        let Forwarded { port, from: _ } = match forwarded {
            Ok(forwarded) => forwarded,
            Err(discard) => {
                assert_eq!(made, b"", "what is not forwarded leaves nothing behind");
                return Err(discard);
            }
        };
        assert_eq!(self.ports.with_index(arrival.interface_index), Some(port));
        Ok(made.to_vec())
    }

    /// What it sends towards the clients.
    pub(crate) fn deliver<'a>(&self, octets: &'a [u8]) -> Result<Delivery<'a>, Discard> {
        self.deliver_from(SERVER, octets)
    }

    pub(crate) fn deliver_from<'a>(
        &self,
        server: Ipv6Addr,
        octets: &'a [u8],
    ) -> Result<Delivery<'a>, Discard> {
        let arrival = Arrival {
            source: server,
            source_port: 547,
            destination: address("2001:db8:ffff::1"),
            interface_index: 1,
            link_layer: None,
        };
        relay::deliver(&self.terms, &self.ports, &arrival, octets)
    }
}

/// From the client, to all relays and servers on its link.
pub(crate) fn from_client() -> Arrival<'static> {
    Arrival {
        source: CLIENT,
        source_port: 546,
        destination: address("ff02::1:2"),
        interface_index: ACCESS,
        link_layer: None,
    }
}

/// From a relay that has been told our address.
pub(crate) fn from_relay() -> Arrival<'static> {
    Arrival { source: RELAY, source_port: 547, destination: address("2001:db8:1::1"), ..from_client() }
}

/// The link-layer address of the client.
pub(crate) fn ethernet() -> Option<LinkLayerAddress<'static>> {
    Some(LinkLayerAddress { hardware_type: 1, address: &[2, 0, 0, 0, 1, 1] })
}

/// A Relay-forward around this message.
pub(crate) fn relay_forward(hop_count: u8, options: &[(OptionCode, &[u8])], message: &[u8]) -> Vec<u8> {
    relay_message(MessageType::RelayForward, hop_count, "::", CLIENT, &with_message(options, message))
}

/// A Relay-reply for the client around this message.
pub(crate) fn relay_reply(link: &str, options: &[(OptionCode, &[u8])], message: &[u8]) -> Vec<u8> {
    relay_message(MessageType::RelayReply, 0, link, CLIENT, &with_message(options, message))
}

fn with_message<'a>(options: &[(OptionCode, &'a [u8])], message: &'a [u8]) -> Vec<(OptionCode, &'a [u8])> {
    options.iter().copied().chain([(OptionCode::RELAY_MSG, message)]).collect()
}

pub(crate) fn relay_message(
    message_type: MessageType,
    hop_count: u8,
    link: &str,
    peer_address: Ipv6Addr,
    options: &[(OptionCode, &[u8])],
) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let link_address = address(link);
    RelayMessage { message_type, hop_count, link_address, peer_address, options: Options::default() }
        .encode(&mut writer);
    options.iter().for_each(|(code, data)| writer.raw_option(*code, data));
    writer.finish().unwrap();
    octets
}

/// The codes of a message's options, in the order sent.
pub(crate) fn codes(message: &RelayMessage<'_>) -> Vec<OptionCode> {
    message.options.iter().map(|option| option.code).collect()
}
