//! What a connection or an exchange tells whoever asked.

use std::fmt;

use wire::{Status, StatusCode, TransactionId};

use crate::bulk::Fault;
use crate::client_data::ClientData;
use crate::limits::MAX_STATUS_TEXT_OCTETS;

/// Something that came of a question.
#[derive(Debug)]
pub enum Event<'a> {
    /// A client, as told in one message; others of the same client may follow.
    Client {
        /// The question.
        query: TransactionId,
        /// The client and its leases.
        client: &'a ClientData<'a>,
    },
    /// Nothing more will come of this question.
    Finished {
        /// The question.
        query: TransactionId,
        /// How it went.
        outcome: Outcome,
    },
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All bindings have been told.
    Done,
    /// There is no such binding.
    Empty,
    /// The server did not answer the question.
    Refused(Refusal),
    /// The server stopped midway; what came before is good (RFC 5460 §7.2).
    Partial(Refusal),
    /// The answer broke off; what came before is good.
    Incomplete(Gap),
}

impl Outcome {
    /// Whether what is absent from the answer is known not to exist at that server.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Done | Self::Empty)
    }

    /// Whether the server said that it is busy or going down: to be asked later, and not at once.
    pub fn is_terminated(&self) -> bool {
        match self {
            Self::Refused(refusal) | Self::Partial(refusal) => refusal.code == StatusCode::QUERY_TERMINATED,
            _ => false,
        }
    }
}

/// A status that is not Success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which.
    pub code: StatusCode,
    /// The server's words, cut to a line.
    pub text: String,
}

impl Refusal {
    /// A status as it stood in a message.
    pub fn new(status: Status<'_>) -> Self {
        let octets = &status.message[..status.message.len().min(MAX_STATUS_TEXT_OCTETS)];
        let text = String::from_utf8_lossy(octets);
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        Self { code: status.code, text: text.chars().map(printable).collect() }
    }

    /// Whether another server may well answer the same question (RFC 5007 §4.3.3).
    pub fn suggests_another_server(&self) -> bool {
        let codes = [StatusCode::NOT_ALLOWED, StatusCode::NOT_CONFIGURED, StatusCode::UNKNOWN_QUERY_TYPE];
        codes.contains(&self.code)
    }

    /// Whether the question is at fault, so that asking it again is no use (RFC 5007 §4.3.3).
    pub fn blames_the_question(&self) -> bool {
        [StatusCode::MALFORMED_QUERY, StatusCode::UNKNOWN_QUERY_TYPE].contains(&self.code)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if self.text.is_empty() { Ok(()) } else { write!(f, " ({})", self.text) }
    }
}

/// Why an answer is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The server closed the connection.
    Closed,
    /// The server sent nothing for too long.
    Silent,
    /// The server read nothing for too long.
    Blocked,
    /// The client is on more links than are asked about.
    TooManyLinks,
    /// The server broke the protocol.
    Fault(Fault),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Silent => f.write_str("the server fell silent"),
            Self::Blocked => f.write_str("the server stopped reading"),
            Self::TooManyLinks => f.write_str("the client is on too many links"),
            Self::Fault(fault) => write!(f, "the server broke the protocol: {fault}"),
        }
    }
}
