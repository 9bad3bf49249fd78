//! A small requestor: it writes questions, cuts the stream into messages and reads answers.

use std::net::Ipv6Addr;

use wire::leasequery::QueryType;
use wire::{
    ClientMessage, DhcpOption, Duid, FrameBuffer, MessageType, OptionCode, Options, StatusCode,
    TransactionId, Writer, write_frame,
};

use super::relay;

/// A LEASEQUERY of the relay, to be changed before it is sent.
#[derive(Clone)]
pub(crate) struct Question {
    transaction_id: u32,
    message_type: MessageType,
    query_type: QueryType,
    link_address: Ipv6Addr,
    query_options: Vec<(OptionCode, Vec<u8>)>,
    message_options: Vec<(OptionCode, Vec<u8>)>,
}

impl Question {
    /// A question without any query options.
    pub(crate) fn new(transaction_id: u32, query_type: u8) -> Self {
        Self {
            transaction_id,
            message_type: MessageType::LeaseQuery,
            query_type: QueryType(query_type),
            link_address: Ipv6Addr::UNSPECIFIED,
            query_options: Vec::new(),
            message_options: vec![(OptionCode::CLIENTID, relay().octets().to_vec())],
        }
    }

    pub(crate) fn by_address(transaction_id: u32, sought: &str) -> Self {
        let sought: Ipv6Addr = sought.parse().unwrap();
        Self::new(transaction_id, 1).with(OptionCode::IAADDR, &[&sought.octets()[..], &[0; 8]].concat())
    }

    pub(crate) fn by_client(transaction_id: u32, sought: &Duid) -> Self {
        Self::new(transaction_id, 2).with(OptionCode::CLIENTID, sought.octets())
    }

    pub(crate) fn by_relay(transaction_id: u32, sought: &Duid) -> Self {
        Self::new(transaction_id, 3).with(OptionCode::RELAY_ID, sought.octets())
    }

    pub(crate) fn by_link(transaction_id: u32, link_address: &str) -> Self {
        Self::new(transaction_id, 4).on(link_address)
    }

    pub(crate) fn by_remote_id(transaction_id: u32, enterprise: u32, remote_id: &str) -> Self {
        let sought = [&enterprise.to_be_bytes(), remote_id.as_bytes()].concat();
        Self::new(transaction_id, 5).with(OptionCode::REMOTE_ID, &sought)
    }

    /// Limited to the link that this address names.
    pub(crate) fn on(mut self, link_address: &str) -> Self {
        self.link_address = link_address.parse().unwrap();
        self
    }

    /// With one more query option.
    pub(crate) fn with(mut self, code: OptionCode, data: &[u8]) -> Self {
        self.query_options.push((code, data.to_vec()));
        self
    }

    /// With an ORO among the query options.
    pub(crate) fn wanting(self, codes: &[OptionCode]) -> Self {
        self.with(OptionCode::ORO, &codes_data(codes))
    }

    /// With one more option of the message itself.
    pub(crate) fn with_outside(mut self, code: OptionCode, data: &[u8]) -> Self {
        self.message_options.push((code, data.to_vec()));
        self
    }

    /// With an ORO of the message itself.
    pub(crate) fn wanting_outside(self, codes: &[OptionCode]) -> Self {
        self.with_outside(OptionCode::ORO, &codes_data(codes))
    }

    /// Without the requestor's CLIENTID.
    pub(crate) fn anonymous(mut self) -> Self {
        self.message_options.retain(|(code, _)| *code != OptionCode::CLIENTID);
        self
    }

    /// As a message of another type.
    pub(crate) fn typed(mut self, message_type: MessageType) -> Self {
        self.message_type = message_type;
        self
    }

    /// The octets of the message.
    pub(crate) fn message(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.write(&mut Writer::new(&mut octets));
        octets
    }

    /// The octets of the message behind their size.
    pub(crate) fn framed(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        write_frame(&mut octets, |w| self.write(w)).unwrap();
        octets
    }

    fn write(&self, w: &mut Writer<'_>) {
        let transaction_id = TransactionId::from_number(self.transaction_id);
        ClientMessage::write(w, self.message_type, transaction_id, |w| {
            self.message_options.iter().for_each(|(code, data)| w.raw_option(*code, data));
            w.option(OptionCode::LQ_QUERY, |w| {
                w.u8(self.query_type.0);
                w.address(self.link_address);
                self.query_options.iter().for_each(|(code, data)| w.raw_option(*code, data));
            });
        });
    }
}

fn codes_data(codes: &[OptionCode]) -> Vec<u8> {
    codes.iter().flat_map(|code| code.0.to_be_bytes()).collect()
}

/// The messages of a stream, without their sizes. Nothing may be left over.
pub(crate) fn frames(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut buffer = FrameBuffer::default();
    buffer.extend(stream);
    let mut found = Vec::new();
    while let Some(message) = buffer.next_message().unwrap() {
        found.push(message.to_vec());
    }
    assert_eq!(buffer.waiting(), 0, "the stream ends inside a frame");
    found
}

/// The messages of a stream, read.
pub(crate) fn answers(stream: &[u8]) -> Vec<Answer> {
    frames(stream).iter().map(|message| Answer::read(message)).collect()
}

/// What kinds of messages these are, in the order sent.
pub(crate) fn types(answers: &[Answer]) -> Vec<u8> {
    answers.iter().map(|answer| answer.message_type as u8).collect()
}

/// A message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) message_type: MessageType,
    pub(crate) transaction_id: u32,
    pub(crate) options: Vec<u8>,
}

impl Answer {
    pub(crate) fn read(octets: &[u8]) -> Self {
        let message = ClientMessage::decode(octets).unwrap();
        let [a, b, c] = message.transaction_id.octets();
        Self {
            message_type: message.message_type,
            transaction_id: u32::from_be_bytes([0, a, b, c]),
            options: message.options.octets().to_vec(),
        }
    }

    pub(crate) fn options(&self) -> Options<'_> {
        Options::new(&self.options).unwrap()
    }

    /// The numbers of its options, in the order sent.
    pub(crate) fn codes(&self) -> Vec<u16> {
        self.options().iter().map(|option| option.code.0).collect()
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.options().status().unwrap().map(|status| status.code)
    }

    /// The options inside its CLIENT_DATA; none if it has none.
    pub(crate) fn data(&self) -> Options<'_> {
        self.options().client_data().unwrap().unwrap_or_default()
    }

    /// The numbers of the options inside its CLIENT_DATA, in the order sent.
    pub(crate) fn data_codes(&self) -> Vec<u16> {
        self.data().iter().map(|option| option.code.0).collect()
    }

    /// Whom it tells of.
    pub(crate) fn client(&self) -> Option<Duid> {
        self.data().client_id().unwrap().map(|duid| duid.to_duid())
    }

    /// Its leases with what is left of their lifetimes: `2001:db8::1 3600/7200`.
    pub(crate) fn leases(&self) -> Vec<String> {
        let leases = self.data().iter().filter_map(|option| match DhcpOption::decode(option).unwrap() {
            DhcpOption::IaAddress(lease) => {
                Some(format!("{} {}/{}", lease.address, lease.preferred_secs, lease.valid_secs))
            }
            DhcpOption::IaPrefix(lease) => {
                Some(format!("{} {}/{}", lease.prefix, lease.preferred_secs, lease.valid_secs))
            }
            _ => None,
        });
        leases.collect()
    }
}
