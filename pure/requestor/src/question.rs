//! What is asked: a subject, perhaps one link to which the search is limited, and the options wanted.
//!
//! A question that a server could only refuse as malformed cannot be built: a link is never `::`,
//! a Remote-ID never empty (RFC 5007 §4.1.2.1, RFC 5460 §5.3).

use std::fmt;
use std::net::Ipv6Addr;

use wire::leasequery::QueryType;
use wire::{ClientMessage, Duid, MessageType, OptionCode, TransactionId, Writer};

/// A question that a server can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    subject: Subject,
    link: Ipv6Addr,
    options: Vec<OptionCode>,
}

/// By what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The client that holds this address, or a prefix around it.
    Address(Ipv6Addr),
    /// One client.
    Client(Duid),
    /// All clients heard through this relay.
    Relay(Duid),
    /// All clients on the link that is the question's.
    Link,
    /// All clients heard with this Remote-ID.
    Remote {
        /// Whose numbering the identifier follows.
        enterprise: u32,
        /// The identifier: at least one octet.
        remote_id: Vec<u8>,
    },
}

/// Why there is no such question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionError {
    /// `::` names no link.
    NoLink,
    /// A question by link has its link already.
    SecondLink,
    /// A Remote-ID without a single octet.
    EmptyRemoteId,
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLink => ":: names no link; give an address on the link",
            Self::SecondLink => "a question by link cannot be limited to a second link",
            Self::EmptyRemoteId => "a Remote-ID has at least one octet",
        })
    }
}

impl std::error::Error for QuestionError {}

/// Who asks, and whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The requestor's own DUID; answers must bear it.
    pub client_id: Duid,
    /// The one server that is to answer, where several hear the question (RFC 5007 §4.3.1).
    pub server_id: Option<Duid>,
}

impl Question {
    /// Asks for the client that holds this address, or a prefix around it.
    pub fn by_address(address: Ipv6Addr) -> Self {
        Self::new(Subject::Address(address))
    }

    /// Asks for one client.
    pub fn by_client(client: Duid) -> Self {
        Self::new(Subject::Client(client))
    }

    /// Asks for all clients heard through a relay.
    pub fn by_relay(relay: Duid) -> Self {
        Self::new(Subject::Relay(relay))
    }

    /// Asks for all clients on the link that holds this address.
    pub fn by_link(address: Ipv6Addr) -> Result<Self, QuestionError> {
        Ok(Self { link: some_link(address)?, ..Self::new(Subject::Link) })
    }

    /// Asks for all clients heard with this Remote-ID (RFC 4649).
    pub fn by_remote(enterprise: u32, remote_id: &[u8]) -> Result<Self, QuestionError> {
        if remote_id.is_empty() {
            return Err(QuestionError::EmptyRemoteId);
        }
        Ok(Self::new(Subject::Remote { enterprise, remote_id: remote_id.to_vec() }))
    }

    fn new(subject: Subject) -> Self {
        Self { subject, link: Ipv6Addr::UNSPECIFIED, options: Vec::new() }
    }

    /// The same question, limited to the link that holds this address.
    pub fn on_link(self, address: Ipv6Addr) -> Result<Self, QuestionError> {
        match self.subject {
            Subject::Link => Err(QuestionError::SecondLink),
            _ => Ok(Self { link: some_link(address)?, ..self }),
        }
    }

    /// The same question, asking for these options beside the leases of each client.
    pub fn requesting(self, options: &[OptionCode]) -> Self {
        Self { options: options.to_vec(), ..self }
    }

    /// By what is asked.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Whether the server is to tell this option of each client.
    pub fn requests(&self, option: OptionCode) -> bool {
        self.options.contains(&option)
    }

    /// The query type that stands for the subject.
    pub fn query_type(&self) -> QueryType {
        match self.subject {
            Subject::Address(_) => QueryType::BY_ADDRESS,
            Subject::Client(_) => QueryType::BY_CLIENT_ID,
            Subject::Relay(_) => QueryType::BY_RELAY_ID,
            Subject::Link => QueryType::BY_LINK_ADDRESS,
            Subject::Remote { .. } => QueryType::BY_REMOTE_ID,
        }
    }

    /// Appends the LEASEQUERY, without a frame (RFC 5007 §4.3.1).
    pub fn write(&self, writer: &mut Writer<'_>, transaction_id: TransactionId, asker: &Asker) {
        ClientMessage::write(writer, MessageType::LeaseQuery, transaction_id, |w| {
            w.raw_option(OptionCode::CLIENTID, asker.client_id.octets());
            if let Some(server_id) = &asker.server_id {
                w.raw_option(OptionCode::SERVERID, server_id.octets());
            }
            w.option(OptionCode::LQ_QUERY, |w| self.write_query(w));
        });
    }

    fn write_query(&self, w: &mut Writer<'_>) {
        w.u8(self.query_type().0);
        w.address(self.link);
        match &self.subject {
            Subject::Address(address) => w.ia_address(*address, 0, 0),
            Subject::Client(duid) => w.raw_option(OptionCode::CLIENTID, duid.octets()),
            Subject::Relay(duid) => w.raw_option(OptionCode::RELAY_ID, duid.octets()),
            Subject::Link => {}
            Subject::Remote { enterprise, remote_id } => w.option(OptionCode::REMOTE_ID, |w| {
                w.u32(*enterprise);
                w.bytes(remote_id);
            }),
        }
        if !self.options.is_empty() {
            w.option(OptionCode::ORO, |w| self.options.iter().for_each(|code| w.u16(code.0)));
        }
    }
}

fn some_link(address: Ipv6Addr) -> Result<Ipv6Addr, QuestionError> {
    if address.is_unspecified() { Err(QuestionError::NoLink) } else { Ok(address) }
}
