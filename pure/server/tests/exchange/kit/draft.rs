//! A message in the making, and the datagram that it becomes.

use std::net::Ipv6Addr;

use lease::{IaKind, Resource};
use wire::{ClientMessage, Duid, Iaid, MessageType, OptionCode, TransactionId, Writer};

use super::{ALL_SERVERS, CLIENT, Relay, SERVER};

/// A client's message: its options are appended in the order of the calls.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) message_type: MessageType,
    pub(crate) transaction_id: TransactionId,
    pub(crate) options: Vec<u8>,
}

impl Draft {
    pub(crate) fn new(message_type: MessageType, transaction_id: u32) -> Self {
        let transaction_id = TransactionId::from_number(transaction_id);
        Self { message_type, transaction_id, options: Vec::new() }
    }

    fn write(mut self, write: impl FnOnce(&mut Writer<'_>)) -> Self {
        let mut writer = Writer::new(&mut self.options);
        write(&mut writer);
        writer.finish().unwrap();
        self
    }

    pub(crate) fn option(self, code: OptionCode, data: &[u8]) -> Self {
        self.write(|w| w.raw_option(code, data))
    }

    pub(crate) fn client_id(self, duid: &Duid) -> Self {
        self.option(OptionCode::CLIENTID, duid.octets())
    }

    pub(crate) fn server_id(self, duid: &Duid) -> Self {
        self.option(OptionCode::SERVERID, duid.octets())
    }

    pub(crate) fn elapsed(self, hundredths: u16) -> Self {
        self.option(OptionCode::ELAPSED_TIME, &hundredths.to_be_bytes())
    }

    pub(crate) fn oro(self, codes: &[u16]) -> Self {
        let data: Vec<u8> = codes.iter().flat_map(|code| code.to_be_bytes()).collect();
        self.option(OptionCode::ORO, &data)
    }

    pub(crate) fn rapid_commit(self) -> Self {
        self.option(OptionCode::RAPID_COMMIT, &[])
    }

    /// An IA_NA that names these addresses.
    pub(crate) fn na(self, iaid: u32, addresses: &[&str]) -> Self {
        let resources: Vec<_> = addresses.iter().map(|text| super::resource(text)).collect();
        self.ia(IaKind::Address, iaid, &resources)
    }

    /// An IA_PD that names these prefixes; `::/60` is a wish for the length alone.
    pub(crate) fn pd(self, iaid: u32, prefixes: &[&str]) -> Self {
        let resources: Vec<_> = prefixes.iter().map(|text| super::resource(text)).collect();
        self.ia(IaKind::Prefix, iaid, &resources)
    }

    pub(crate) fn ia(self, kind: IaKind, iaid: u32, resources: &[Resource]) -> Self {
        self.ia_with_times(kind, iaid, 0, resources)
    }

    /// The same with all times and lifetimes set to a number, which servers ignore.
    pub(crate) fn ia_with_times(self, kind: IaKind, iaid: u32, secs: u32, resources: &[Resource]) -> Self {
        self.write(|w| {
            w.ia(kind, Iaid(iaid), secs, secs, |w| {
                for resource in resources {
                    match *resource {
                        Resource::Address(address) => w.ia_address(address, secs, secs),
                        Resource::Prefix(prefix) => w.ia_prefix(prefix, secs, secs, |_| {}),
                    }
                }
            });
        })
    }

    /// An IA_PD with a prefix that says what is excluded from it.
    pub(crate) fn pd_excluding(self, iaid: u32, prefix: &str, excluded: &str) -> Self {
        let (prefix, excluded) = (super::prefix(prefix), super::prefix(excluded));
        let data = wire::PrefixExclude::data(excluded, prefix).unwrap();
        self.write(|w| {
            w.ia(IaKind::Prefix, Iaid(iaid), 0, 0, |w| {
                w.ia_prefix(prefix, 0, 0, |w| w.raw_option(OptionCode::PD_EXCLUDE, &data));
            });
        })
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets);
        ClientMessage::write(&mut writer, self.message_type, self.transaction_id, |w| w.bytes(&self.options));
        writer.finish().unwrap();
        octets
    }

    /// Sent through these relays, the one nearest to the client first.
    pub(crate) fn through(&self, relays: &[&Relay]) -> Datagram {
        let mut octets = self.octets();
        for (hop_count, relay) in relays.iter().enumerate() {
            octets = relay.wrap(hop_count as u8, &octets);
        }
        let source = relays.last().expect("a relay").address;
        Datagram { octets, source, destination: SERVER, interface: Some("uplink") }
    }

    /// Sent by a client on this interface's link to all servers.
    pub(crate) fn on(&self, interface: &'static str) -> Datagram {
        Datagram {
            octets: self.octets(),
            source: CLIENT,
            destination: ALL_SERVERS,
            interface: Some(interface),
        }
    }
}

/// What arrives at the server.
#[derive(Debug, Clone)]
pub(crate) struct Datagram {
    pub(crate) octets: Vec<u8>,
    pub(crate) source: Ipv6Addr,
    pub(crate) destination: Ipv6Addr,
    pub(crate) interface: Option<&'static str>,
}

/// A message that nothing else is said of comes directly from a client on link 1.
impl From<Draft> for Datagram {
    fn from(draft: Draft) -> Self {
        draft.on("lan1")
    }
}
