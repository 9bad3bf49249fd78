//! Saying nothing.

use std::fmt;

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
