//! Saying no: with a status, or with silence.

use std::fmt;

use wire::{Status, StatusCode};

/// Why a query is answered with a status and no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// No query of this type is known, or served here (RFC 5007 §4.1.2.1).
    UnknownQueryType,
    /// A required query option is missing, or the query makes no sense (RFC 5007 §4.4.1).
    MalformedQuery,
    /// No link has this address (RFC 5007 §4.4.1, RFC 5460 §7.2).
    NotConfigured,
    /// This requestor may not ask this (RFC 5007 §4.4.1).
    NotAllowed,
    /// Only over TCP (RFC 5460 §4).
    NotOverUdp,
    /// Bulk yes, active no (RFC 7653 §5.2).
    NotSupported,
    /// The server cannot begin, or cannot finish (RFC 5460 §5.5).
    Terminated,
}

impl Refusal {
    /// The status code it is sent as.
    pub fn status(self) -> StatusCode {
        match self {
            Self::UnknownQueryType => StatusCode::UNKNOWN_QUERY_TYPE,
            Self::MalformedQuery => StatusCode::MALFORMED_QUERY,
            Self::NotConfigured => StatusCode::NOT_CONFIGURED,
            Self::NotAllowed | Self::NotOverUdp => StatusCode::NOT_ALLOWED,
            Self::NotSupported => StatusCode::NOT_SUPPORTED,
            Self::Terminated => StatusCode::QUERY_TERMINATED,
        }
    }

    /// The status with its words.
    pub(crate) fn told(self) -> Status<'static> {
        Status { code: self.status(), message: self.message().as_bytes() }
    }

    /// The words beside it.
    pub fn message(self) -> &'static str {
        match self {
            Self::UnknownQueryType => "this query type is not served",
            Self::MalformedQuery => "the query lacks what its type needs, or makes no sense",
            Self::NotConfigured => "no link here has this address",
            Self::NotAllowed => "this requestor may not ask this",
            Self::NotOverUdp => "this query type is served over TCP only",
            Self::NotSupported => "active leasequery is not served",
            Self::Terminated => "the query was terminated",
        }
    }
}

/// Why a message is dropped without a word. Over TCP the connection is closed as well, because the
/// requestor would wait for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discard {
    /// It does not decode.
    Malformed,
    /// A type of message that has no business here.
    UnexpectedType,
    /// No CLIENTID, or one that is none (RFC 5007 §4.2.1).
    NoClientId,
    /// A SERVERID that is not ours (RFC 5007 §4.2.1).
    OtherServer,
    /// No LQ_QUERY (RFC 5007 §4.2.1).
    NoQuery,
    /// Came through relays, more than are accepted (RFC 5007 §5).
    Relayed,
    /// The source may not ask, and is not to be told so.
    NotAllowed,
    /// The source asks more often than it may.
    TooFast,
    /// The answer does not fit where it must.
    TooLong,
}

impl Discard {
    /// Every reason, in the order of the counters.
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::UnexpectedType,
        Self::NoClientId,
        Self::OtherServer,
        Self::NoQuery,
        Self::Relayed,
        Self::NotAllowed,
        Self::TooFast,
        Self::TooLong,
    ];

    /// The name of its counter.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnexpectedType => "unexpected-type",
            Self::NoClientId => "no-client-id",
            Self::OtherServer => "other-server",
            Self::NoQuery => "no-query",
            Self::Relayed => "relayed",
            Self::NotAllowed => "not-allowed",
            Self::TooFast => "too-fast",
            Self::TooLong => "too-long",
        }
    }
}

impl fmt::Display for Discard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
