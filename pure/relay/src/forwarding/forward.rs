//! Towards the servers: a Relay-forward around what a client or another relay has sent.
//!
//! The message goes inside as it came, octet by octet. Of a client's message only the first octet is
//! looked at; of another relay's, what [`Levels`] tells. Nothing is allocated but by `out`.

use std::net::Ipv6Addr;

use wire::limits::HOP_COUNT_LIMIT;
use wire::{LinkLayerAddress, MessageType, OptionCode, RelayMessage, Writer};

use super::levels::{Levels, RELAY_HEADER_OCTETS};
use crate::limits::MAX_DATAGRAM_OCTETS;
use crate::{Arrival, Discard, Peer, Port, PortId, Ports, Terms};

/// What has been forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forwarded {
    /// Where it came in.
    pub port: PortId,
    /// A client, or a relay.
    pub from: Peer,
}

/// Appends the Relay-forward around a message that has arrived on a port; it is the same for every
/// server. If it goes no further, nothing is appended.
pub fn forward(
    terms: &Terms,
    ports: &Ports,
    arrival: &Arrival<'_>,
    octets: &[u8],
    out: &mut Vec<u8>,
) -> Result<Forwarded, Discard> {
    let id = ports.with_index(arrival.interface_index).ok_or(Discard::NotServed)?;
    let port = ports.present(id).ok_or(Discard::NotServed)?;
    let first = *octets.first().ok_or(Discard::Malformed)?;
    if !names_one_host(arrival.source) {
        return Err(Discard::Malformed);
    }
    let (from, level) = match MessageType::try_from(first) {
        Ok(MessageType::RelayForward) => (Peer::Relay, around_relays(terms, port, arrival, octets)?),
        Ok(MessageType::RelayReply) => return Err(Discard::RelayReplyFromClient),
        Ok(known) => (Peer::Client, around_clients(terms, port, arrival, Some(known))?),
        Err(_) => (Peer::Client, around_clients(terms, port, arrival, None)?),
    };
    level.write(terms, port, octets, out)?;
    Ok(Forwarded { port: id, from })
}

/// Whether somebody with this address can be sent to.
pub(crate) fn names_one_host(address: Ipv6Addr) -> bool {
    !address.is_unspecified() && !address.is_multicast()
}

/// What is ours of the Relay-forward: all but the message inside.
#[derive(Debug)]
pub(crate) struct Level<'a> {
    pub(crate) hop_count: u8,
    pub(crate) link_address: Ipv6Addr,
    pub(crate) peer_address: Ipv6Addr,
    pub(crate) client_link_layer: Option<LinkLayerAddress<'a>>,
    /// The value of RELAY_PORT, if that is needed.
    pub(crate) downstream_port: Option<u16>,
}

/// RFC 9915 §19.1.1: what is known and not for us is forwarded, what is unknown likewise.
fn around_clients<'a>(
    terms: &Terms,
    port: &Port,
    arrival: &Arrival<'a>,
    message_type: Option<MessageType>,
) -> Result<Level<'a>, Discard> {
    if message_type.is_some_and(only_servers_say) {
        return Err(Discard::FromServer);
    }
    if message_type == Some(MessageType::LeaseQuery) {
        if !port.rules.accepts_leasequery {
            return Err(Discard::LeaseQuery);
        }
    } else if !arrival.destination.is_multicast() && !port.rules.accepts_unicast {
        return Err(Discard::Unicast);
    }
    Ok(Level {
        hop_count: 0,
        link_address: port.link_address,
        peer_address: arrival.source,
        client_link_layer: arrival.link_layer,
        downstream_port: (terms.source_port != terms.relay_port).then_some(0),
    })
}

/// What comes from servers and, except in a Relay-reply, not through relays: RFC 9915 §16.3, §16.10,
/// §16.11, RFC 5007 §4.2.2, and the two of bulk leasequery, which are at home in TCP.
pub(crate) fn only_servers_say(message_type: MessageType) -> bool {
    use MessageType as M;
    matches!(
        message_type,
        M::Advertise | M::Reply | M::Reconfigure | M::LeaseQueryReply | M::LeaseQueryDone | M::LeaseQueryData
    )
}

/// RFC 9915 §19.1.2. A leasequery is one in whatever it is wrapped: who may not ask could otherwise do
/// so by playing the relay.
fn around_relays<'a>(
    terms: &Terms,
    port: &Port,
    arrival: &Arrival<'a>,
    octets: &[u8],
) -> Result<Level<'a>, Discard> {
    if !port.rules.accepts_relays {
        return Err(Discard::RelayNotAccepted);
    }
    if octets.len() < RELAY_HEADER_OCTETS {
        return Err(Discard::Malformed);
    }
    let hop_count = octets[1];
    let levels = Levels::of(octets, terms.relay_id.as_ref().map(|duid| duid.octets()));
    if usize::from(hop_count) >= HOP_COUNT_LIMIT || levels.too_many {
        return Err(Discard::HopLimit);
    }
    if levels.has_relay_id {
        return Err(Discard::OwnRelayId);
    }
    if levels.has_supplied_options && terms.refuses_supplied_options {
        return Err(Discard::SuppliedOptions);
    }
    if levels.is_leasequery && !port.rules.accepts_leasequery {
        return Err(Discard::LeaseQuery);
    }
    Ok(Level {
        hop_count: hop_count + 1,
        link_address: link_of_relay(port, arrival.source),
        peer_address: arrival.source,
        client_link_layer: None,
        downstream_port: downstream_port(terms, arrival.source_port),
    })
}

/// A relay with an address of its own says itself which link the client is on. One without may be a
/// switch, which cannot say it: then the link is the one that we share with it, as far as we have an
/// address there that says more than a link-local one. Interface-ID is there in any case.
fn link_of_relay(port: &Port, source: Ipv6Addr) -> Ipv6Addr {
    if source.is_unicast_link_local() && !port.link_address.is_unicast_link_local() {
        port.link_address
    } else {
        Ipv6Addr::UNSPECIFIED
    }
}

/// What has to come back with the Relay-reply so that it finds the relay behind us, or else so that
/// it finds us (RFC 8357 §5.2).
pub(crate) fn downstream_port(terms: &Terms, source_port: u16) -> Option<u16> {
    if source_port != terms.relay_port {
        Some(source_port)
    } else {
        (terms.source_port != terms.relay_port).then_some(0)
    }
}

impl Level<'_> {
    /// Appends it, with the message inside, or nothing.
    pub(crate) fn write(
        &self,
        terms: &Terms,
        port: &Port,
        octets: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Discard> {
        let start = out.len();
        let mut writer = Writer::new(out);
        let header = RelayMessage {
            message_type: MessageType::RelayForward,
            hop_count: self.hop_count,
            link_address: self.link_address,
            peer_address: self.peer_address,
            options: wire::Options::default(),
        };
        header.encode_header(&mut writer);
        self.write_options(terms, port, &mut writer);
        writer.raw_option(OptionCode::RELAY_MSG, octets);
        writer.finish().map_err(|_| Discard::TooLong)?;
        if out.len() - start > MAX_DATAGRAM_OCTETS {
            out.truncate(start);
            return Err(Discard::TooLong);
        }
        Ok(())
    }

    fn write_options(&self, terms: &Terms, port: &Port, w: &mut Writer<'_>) {
        w.raw_option(OptionCode::INTERFACE_ID, &port.interface_id);
        if let Some(remote_id) = &port.remote_id {
            w.option(OptionCode::REMOTE_ID, |w| {
                w.u32(remote_id.enterprise);
                w.bytes(&remote_id.value);
            });
        }
        if let Some(subscriber_id) = &port.subscriber_id {
            w.raw_option(OptionCode::SUBSCRIBER_ID, subscriber_id);
        }
        if let Some(relay_id) = &terms.relay_id {
            w.raw_option(OptionCode::RELAY_ID, relay_id.octets());
        }
        if let Some(LinkLayerAddress { hardware_type, address }) = self.client_link_layer {
            w.option(OptionCode::CLIENT_LINKLAYER_ADDR, |w| {
                w.u16(hardware_type);
                w.bytes(address);
            });
        }
        if let Some(downstream_port) = self.downstream_port {
            w.option(OptionCode::RELAY_PORT, |w| w.u16(downstream_port));
        }
        for (code, octets) in
            [(OptionCode::ERO, terms.echo_request.octets()), (OptionCode::RSOO, terms.supplied.octets())]
        {
            if !octets.is_empty() {
                w.raw_option(code, octets);
            }
        }
    }
}
