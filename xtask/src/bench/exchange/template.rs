//! A recorded message as a template: its octets, and the places in them that differ from client to client.
//!
//! [`Template::compile`] goes through the recorded message once and keeps all of it but what the case does not ask for. Every
//! place has a fixed length, so that writing a message for one client is a copy and a few patches ([`Template::write`]).

use std::net::Ipv6Addr;

use anyhow::{Context, Result, ensure};
use wire::{Message, MessageType, OptionCode, Options, RawOption, TransactionId};

use super::case::{Case, Way};
use super::network::relay_address;
use super::recording;

/// A client that nobody has heard of before; everything that names it is made of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Client(pub(in crate::bench) u64);

impl Client {
    /// Its MAC address: locally administered, then the number.
    pub(in crate::bench) fn hardware_address(self) -> [u8; 6] {
        let [.., a, b, c, d, e] = self.0.to_be_bytes();
        [0x02, a, b, c, d, e]
    }

    /// The one whose MAC address ends so.
    fn with_hardware_address([a, b, c, d, e]: [u8; 5]) -> Self {
        Self(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }

    /// Its IAID, and what the relay calls its port and line.
    pub(in crate::bench) fn short_number(self) -> [u8; 4] {
        (self.0 as u32).to_be_bytes()
    }

    /// The lower half of its link-local address (RFC 4291, appendix A).
    fn interface_identifier(self) -> [u8; 8] {
        let [a, b, c, d, e, f] = self.hardware_address();
        [a ^ 0x02, b, c, 0xff, 0xfe, d, e, f]
    }
}

/// What a template can read of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Question {
    /// Otherwise it is a Request.
    pub(in crate::bench) is_solicit: bool,
    pub(in crate::bench) client: Client,
    pub(in crate::bench) id: TransactionId,
}

/// What a client has been offered, as it stands in IAADDR and IAPREFIX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) struct Leases {
    pub(in crate::bench) address: [u8; 16],
    /// Length, then the prefix.
    pub(in crate::bench) prefix: [u8; 17],
}

impl Leases {
    /// For a message that names none.
    pub(in crate::bench) const NONE: Self = Self { address: [0; 16], prefix: [0; 17] };
}

/// What stands in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Transaction,
    HardwareAddress,
    InterfaceIdentifier,
    ShortNumber,
    Address,
    Prefix,
}

/// A message, but for who sends it.
#[derive(Debug, Clone, Default)]
pub(in crate::bench) struct Template {
    octets: Vec<u8>,
    places: Vec<(usize, Field)>,
}

impl Template {
    /// The recorded message of this type, for this case. It comes from the relay with this number, if from one, and names the
    /// server by `server_id`.
    pub(in crate::bench) fn compile(
        message_type: MessageType,
        case: Case,
        relay: u16,
        server_id: &[u8],
    ) -> Result<Self> {
        let recorded = recording::message(message_type, case.way)?;
        let mut compiler = Compiler { case, relay: relay_address(relay), server_id, made: Self::default() };
        compiler.message(recorded)?;
        Ok(compiler.made)
    }

    /// Octets of a message.
    pub(in crate::bench) fn len(&self) -> usize {
        self.octets.len()
    }

    /// Writes the message of a client to the beginning of `into`, which is long enough.
    pub(in crate::bench) fn write(
        &self,
        into: &mut [u8],
        client: Client,
        id: TransactionId,
        leases: &Leases,
    ) {
        into[..self.octets.len()].copy_from_slice(&self.octets);
        for (place, field) in &self.places {
            let into = &mut into[*place..];
            match field {
                Field::Transaction => put(into, id.octets()),
                Field::HardwareAddress => put(into, client.hardware_address()),
                Field::InterfaceIdentifier => put(into, client.interface_identifier()),
                Field::ShortNumber => put(into, client.short_number()),
                Field::Address => put(into, leases.address),
                Field::Prefix => put(into, leases.prefix),
            }
        }
    }

    /// Reads a question that was written with this same template. Nothing but its places is looked at.
    pub(in crate::bench) fn read(&self, octets: &[u8]) -> Option<Question> {
        let place = |wanted: Field| self.places.iter().find(|(_, field)| *field == wanted);
        let id_at = place(Field::Transaction)?.0;
        let [message_type, a, b, c] = *octets.get(id_at.checked_sub(1)?..)?.first_chunk::<4>()?;
        let [_, address @ ..] = *octets.get(place(Field::HardwareAddress)?.0..)?.first_chunk::<6>()?;
        Some(Question {
            is_solicit: message_type == MessageType::Solicit as u8,
            client: Client::with_hardware_address(address),
            id: TransactionId::new([a, b, c]),
        })
    }
}

fn put<const N: usize>(into: &mut [u8], field: [u8; N]) {
    into[..N].copy_from_slice(&field);
}

struct Compiler<'a> {
    case: Case,
    relay: Ipv6Addr,
    server_id: &'a [u8],
    made: Template,
}

impl Compiler<'_> {
    fn message(&mut self, recorded: &[u8]) -> Result<()> {
        match Message::decode(recorded)? {
            Message::Client(message) => {
                self.bytes(&[message.message_type as u8]);
                self.place(Field::Transaction, 3);
                self.options(message.options)
            }
            Message::Relay(message) => {
                self.bytes(&[message.message_type as u8, message.hop_count]);
                self.bytes(&self.relay.octets());
                self.bytes(&message.peer_address.octets()[..8]);
                self.place(Field::InterfaceIdentifier, 8);
                self.options(message.options)
            }
        }
    }

    fn options(&mut self, options: Options<'_>) -> Result<()> {
        for option in options.iter() {
            let wanted = match option.code {
                OptionCode::IA_NA => self.case.wish.address(),
                OptionCode::IA_PD => self.case.wish.prefix(),
                _ => true,
            };
            if wanted {
                self.option(option).with_context(|| format!("the recorded {option:?}"))?;
            }
        }
        Ok(())
    }

    fn option(&mut self, RawOption { code, data }: RawOption<'_>) -> Result<()> {
        self.bytes(&code.0.to_be_bytes());
        let length_at = self.made.octets.len();
        self.bytes(&[0; 2]);
        match code {
            OptionCode::SERVERID => self.bytes(self.server_id),
            OptionCode::RELAY_MSG => self.message(data)?,
            OptionCode::CLIENTID | OptionCode::CLIENT_LINKLAYER_ADDR => {
                self.ending(data, Field::HardwareAddress, 6)?;
            }
            // A port and a line of its own for every client.
            OptionCode::INTERFACE_ID | OptionCode::REMOTE_ID => self.ending(data, Field::ShortNumber, 4)?,
            OptionCode::IA_NA | OptionCode::IA_PD => {
                let (times, leases) = data.split_at_checked(12).context("is too short")?;
                self.place(Field::ShortNumber, 4);
                self.bytes(&times[4..]);
                self.options(Options::new(leases)?)?;
            }
            OptionCode::IAADDR => {
                self.place(Field::Address, 16);
                self.bytes(data.get(16..).context("is too short")?);
            }
            OptionCode::IAPREFIX => {
                self.bytes(data.get(..8).context("is too short")?);
                self.place(Field::Prefix, 17);
                self.bytes(&data[25..]);
            }
            _ => self.bytes(data),
        }
        let length = (self.made.octets.len() - length_at - 2) as u16;
        self.made.octets[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    /// The data as recorded, but for the end.
    fn ending(&mut self, data: &[u8], field: Field, octets: usize) -> Result<()> {
        ensure!(data.len() >= octets, "is too short");
        self.bytes(&data[..data.len() - octets]);
        self.place(field, octets);
        Ok(())
    }

    fn place(&mut self, field: Field, octets: usize) {
        self.made.places.push((self.made.octets.len(), field));
        self.made.octets.resize(self.made.octets.len() + octets, 0);
    }

    fn bytes(&mut self, octets: &[u8]) {
        self.made.octets.extend_from_slice(octets);
    }
}

/// The templates of one sender of clients' messages.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Questions {
    pub(in crate::bench) solicit: Template,
    pub(in crate::bench) request: Template,
    /// The client's DUID up to its MAC address.
    pub(in crate::bench) duid_begin: Vec<u8>,
}

impl Questions {
    /// Those of the sender with this number, to the server with this DUID.
    pub(in crate::bench) fn compile(case: Case, sender: u16, server_id: &[u8]) -> Result<Self> {
        let recorded = Message::decode(recording::message(MessageType::Solicit, Way::Direct)?)?;
        let duid = recorded.options().client_id()?.context("no CLIENTID is recorded")?.octets();
        Ok(Self {
            solicit: Template::compile(MessageType::Solicit, case, sender, server_id)?,
            request: Template::compile(MessageType::Request, case, sender, server_id)?,
            duid_begin: duid[..duid.len() - 6].to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use wire::{ClientMessage, DhcpOption, RelayMessage};

    use super::super::case::Wish;
    use super::*;

    const SERVER_ID: &[u8] = &[0, 3, 0, 1, 2, 2, 2, 2, 2, 2];
    const ID: TransactionId = TransactionId::new([7, 8, 9]);
    const LEASES: Leases =
        Leases { address: [0x20; 16], prefix: [56, 0x30, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0] };

    fn written(message_type: MessageType, case: Case) -> Vec<u8> {
        let template = Template::compile(message_type, case, 0, SERVER_ID).unwrap();
        let mut octets = vec![0; template.len()];
        template.write(&mut octets, Client(0x01_0203_0405), ID, &LEASES);
        let is_solicit = message_type == MessageType::Solicit;
        let question = Question { is_solicit, client: Client(0x01_0203_0405), id: ID };
        assert_eq!(template.read(&octets), Some(question));
        octets
    }

    fn inside(octets: &[u8], way: Way) -> ClientMessage<'_> {
        match way {
            Way::Direct => ClientMessage::decode(octets).unwrap(),
            Way::Relayed => {
                let relay = RelayMessage::decode(octets).unwrap();
                ClientMessage::decode(relay.relayed().unwrap().unwrap()).unwrap()
            }
        }
    }

    #[test]
    fn what_clients_send_has_what_the_standard_wants() {
        for case in Case::all() {
            for message_type in [MessageType::Solicit, MessageType::Request] {
                let octets = written(message_type, case);
                let message = inside(&octets, case.way);
                assert_eq!((message.message_type, message.transaction_id), (message_type, ID));
                // DH-K-01
                let client_id = message.options.client_id().unwrap().unwrap();
                assert!(client_id.octets().ends_with(&[2, 1, 2, 3, 4, 5]));
                assert_eq!(message.options.first(OptionCode::ELAPSED_TIME), Some(&[0, 0][..]));
                let server_id = message.options.server_id().unwrap().map(|id| id.octets());
                assert_eq!(server_id, (message_type == MessageType::Request).then_some(SERVER_ID));
                // DH-K-02
                let requested = message.options.option_request().unwrap().unwrap();
                assert!(requested.iter().any(|code| code == OptionCode(82)));
            }
        }
    }

    #[test]
    fn a_request_asks_for_what_was_offered_and_for_nothing_else() {
        for case in Case::all() {
            let octets = written(MessageType::Request, case);
            let (mut addresses, mut prefixes) = (0, 0);
            for option in inside(&octets, case.way).options.iter() {
                match DhcpOption::decode(option).unwrap() {
                    DhcpOption::IaNa(ia) => {
                        assert_eq!(ia.iaid.0.to_be_bytes(), [2, 3, 4, 5]);
                        assert!(ia.options.first(OptionCode::IAADDR).unwrap().starts_with(&LEASES.address));
                        addresses += 1;
                    }
                    DhcpOption::IaPd(ia) => {
                        let data = ia.options.first(OptionCode::IAPREFIX).unwrap();
                        assert_eq!(data[8..25], LEASES.prefix);
                        prefixes += 1;
                    }
                    _ => {}
                }
            }
            assert_eq!(addresses == 1, case.wish.address());
            assert_eq!(prefixes == 1, case.wish.prefix());
        }
    }

    #[test]
    fn a_relay_says_where_the_client_is() {
        let octets = written(MessageType::Solicit, Case { wish: Wish::Both, way: Way::Relayed });
        let relay = RelayMessage::decode(&octets).unwrap();
        assert_eq!(relay.link_address, relay_address(0));
        assert_eq!(relay.peer_address, "fe80::1:2ff:fe03:405".parse::<Ipv6Addr>().unwrap());
        assert_eq!(relay.interface_id(), Some(&[2, 3, 4, 5][..]));
        assert_eq!(relay.remote_id().unwrap()[4..], [2, 3, 4, 5]);
        assert!(relay.relay_id().is_some());
    }
}
