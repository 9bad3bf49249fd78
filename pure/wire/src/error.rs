//! Why octets were not a message.

use std::fmt;

use crate::{DuidError, OptionCode, PrefixError};

/// The octets do not form what they should: always the sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// The octets end before the item does.
    Truncated,
    /// Octets are left over behind the item.
    TrailingOctets,
    /// No message has this type number.
    UnknownMessageType(u8),
    /// The length of this option is none that it can have.
    BadLength(OptionCode),
    /// The option that holds a DUID holds none.
    BadDuid(DuidError),
    /// The prefix is none.
    BadPrefix(PrefixError),
    /// A value of this option lies outside the values it can have.
    BadValue(OptionCode),
    /// The option stands more than once where it may stand only once.
    Duplicate(OptionCode),
    /// A Relay-forward or Relay-reply without the message that it relays.
    MissingRelayMessage,
    /// A relay message was expected, and this is none.
    NotRelayed,
    /// More relays than [`crate::limits::MAX_RELAY_FORWARDS`] in a message, or than
    /// [`crate::limits::MAX_RELAY_DEPTH`] in a path.
    TooManyRelays,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the octets end too early"),
            Self::TrailingOctets => f.write_str("octets are left over at the end"),
            Self::UnknownMessageType(number) => write!(f, "unknown message type {number}"),
            Self::BadLength(code) => write!(f, "option {code} has an impossible length"),
            Self::BadDuid(error) => write!(f, "{error}"),
            Self::BadPrefix(error) => write!(f, "{error}"),
            Self::BadValue(code) => write!(f, "option {code} has an impossible value"),
            Self::Duplicate(code) => write!(f, "option {code} stands more than once"),
            Self::MissingRelayMessage => f.write_str("a relay message without the message it relays"),
            Self::NotRelayed => f.write_str("not a relay message"),
            Self::TooManyRelays => f.write_str("more relays inside one another than are accepted"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<DuidError> for DecodeError {
    fn from(error: DuidError) -> Self {
        Self::BadDuid(error)
    }
}

impl From<PrefixError> for DecodeError {
    fn from(error: PrefixError) -> Self {
        Self::BadPrefix(error)
    }
}
