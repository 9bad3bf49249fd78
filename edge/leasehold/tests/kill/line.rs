//! By which way customers speak: through a relay that is made up here, to a server on the loopback interface; or on a cable,
//! to whatever relay is at its other end.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::time::Duration;

use wire::{Duid, MessageType, OptionCode, Options, RelayMessage, Writer};

/// How long it is listened before it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(10);
const DATAGRAM_OCTETS: usize = 2048;

/// A way to speak.
#[derive(Debug)]
pub(crate) struct Line {
    socket: UdpSocket,
    to: SocketAddrV6,
    relay: Option<MadeUpRelay>,
}

/// What a relay that is not there would say of itself.
#[derive(Debug, Clone)]
pub(crate) struct MadeUpRelay {
    pub(crate) relay_id: Duid,
    pub(crate) link_address: Ipv6Addr,
    pub(crate) peer_address: Ipv6Addr,
}

impl Line {
    /// Speaks through a relay of this host.
    pub(crate) fn relayed(server: SocketAddrV6, relay: MadeUpRelay) -> Self {
        let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(LOOK)).unwrap();
        Self { socket, to: server, relay: Some(relay) }
    }

    /// Speaks as it is, by a socket that is a client's.
    pub(crate) fn direct(socket: UdpSocket, to: SocketAddrV6) -> Self {
        socket.set_read_timeout(Some(LOOK)).unwrap();
        Self { socket, to, relay: None }
    }

    /// Says something; what cannot be sent is like what is lost.
    pub(crate) fn say(&self, words: &[u8]) {
        let _ = match &self.relay {
            Some(relay) => self.socket.send_to(&relay.wrap(words), self.to),
            None => self.socket.send_to(words, self.to),
        };
    }

    /// What comes for a customer, if something comes soon.
    pub(crate) fn hear(&self) -> Option<Vec<u8>> {
        let mut octets = vec![0; DATAGRAM_OCTETS];
        let length = self.socket.recv(&mut octets).ok()?;
        octets.truncate(length);
        match &self.relay {
            Some(_) => Some(RelayMessage::decode(&octets).ok()?.relayed().ok()??.to_vec()),
            None => Some(octets),
        }
    }
}

impl MadeUpRelay {
    /// Relay Source Port has the answer come back to where we are.
    fn wrap(&self, words: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut w = Writer::new(&mut octets);
        let header = RelayMessage {
            message_type: MessageType::RelayForward,
            hop_count: 0,
            link_address: self.link_address,
            peer_address: self.peer_address,
            options: Options::default(),
        };
        header.encode_header(&mut w);
        w.raw_option(OptionCode::RELAY_PORT, &[0, 0]);
        w.raw_option(OptionCode::RELAY_ID, self.relay_id.octets());
        w.raw_option(OptionCode::RELAY_MSG, words);
        w.finish().expect("a short message");
        octets
    }
}
