//! Saying no to a query, with a status.

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
