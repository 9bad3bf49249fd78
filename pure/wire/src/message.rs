//! Messages: the header, and options whose outline is sound (RFC 8415 §8, §9).

use std::fmt;
use std::net::Ipv6Addr;

use crate::{DecodeError, OptionCode, Options, Reader, TransactionId, Writer};

macro_rules! message_types {
    ($($name:ident = $number:literal $text:literal $from:literal;)*) => {
        /// What kind of message (RFC 8415 §7.3 and the registry).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum MessageType {
            $(#[doc = $from] $name = $number,)*
        }

        impl MessageType {
            /// Every type, in order of number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in the registry.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        impl TryFrom<u8> for MessageType {
            type Error = DecodeError;

            fn try_from(number: u8) -> Result<Self, DecodeError> {
                match number {
                    $($number => Ok(Self::$name),)*
                    _ => Err(DecodeError::UnknownMessageType(number)),
                }
            }
        }
    };
}

message_types! {
    Solicit = 1 "SOLICIT" "RFC 8415";
    Advertise = 2 "ADVERTISE" "RFC 8415";
    Request = 3 "REQUEST" "RFC 8415";
    Confirm = 4 "CONFIRM" "RFC 8415";
    Renew = 5 "RENEW" "RFC 8415";
    Rebind = 6 "REBIND" "RFC 8415";
    Reply = 7 "REPLY" "RFC 8415; also the answer to STARTTLS";
    Release = 8 "RELEASE" "RFC 8415";
    Decline = 9 "DECLINE" "RFC 8415";
    Reconfigure = 10 "RECONFIGURE" "RFC 8415";
    InformationRequest = 11 "INFORMATION-REQUEST" "RFC 8415";
    RelayForward = 12 "RELAY-FORW" "RFC 8415";
    RelayReply = 13 "RELAY-REPL" "RFC 8415";
    LeaseQuery = 14 "LEASEQUERY" "RFC 5007";
    LeaseQueryReply = 15 "LEASEQUERY-REPLY" "RFC 5007";
    LeaseQueryDone = 16 "LEASEQUERY-DONE" "RFC 5460; TCP only";
    LeaseQueryData = 17 "LEASEQUERY-DATA" "RFC 5460; TCP only";
    ReconfigureRequest = 18 "RECONFIGURE-REQUEST" "RFC 6977";
    ReconfigureReply = 19 "RECONFIGURE-REPLY" "RFC 6977";
    Dhcpv4Query = 20 "DHCPV4-QUERY" "RFC 7341";
    Dhcpv4Response = 21 "DHCPV4-RESPONSE" "RFC 7341";
    ActiveLeaseQuery = 22 "ACTIVELEASEQUERY" "RFC 7653; TCP only";
    StartTls = 23 "STARTTLS" "RFC 7653; TCP only";
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A message of either shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// One between a client or requestor and a server.
    Client(ClientMessage<'a>),
    /// One that a relay wrapped, or that is to be unwrapped by one.
    Relay(RelayMessage<'a>),
}

impl<'a> Message<'a> {
    /// Decodes a whole message; what is left over is an error.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let first = *octets.first().ok_or(DecodeError::Truncated)?;
        match MessageType::try_from(first)? {
            MessageType::RelayForward | MessageType::RelayReply => {
                RelayMessage::decode(octets).map(Self::Relay)
            }
            _ => ClientMessage::decode(octets).map(Self::Client),
        }
    }

    /// Appends the message as it was received.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Client(message) => message.encode(writer),
            Self::Relay(message) => message.encode(writer),
        }
    }

    /// Its options.
    pub fn options(&self) -> Options<'a> {
        match self {
            Self::Client(message) => message.options,
            Self::Relay(message) => message.options,
        }
    }
}

/// A message with a transaction id (RFC 8415 §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientMessage<'a> {
    /// Any type but the two of relays.
    pub message_type: MessageType,
    /// Ties the answer to the question.
    pub transaction_id: TransactionId,
    /// The rest.
    pub options: Options<'a>,
}

impl<'a> ClientMessage<'a> {
    /// Decodes a message of any type but the two of relays.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let number = reader.u8()?;
        let message_type = match MessageType::try_from(number)? {
            MessageType::RelayForward | MessageType::RelayReply => {
                return Err(DecodeError::UnknownMessageType(number));
            }
            other => other,
        };
        let transaction_id = TransactionId::new(reader.array()?);
        Ok(Self { message_type, transaction_id, options: Options::new(reader.rest())? })
    }

    /// Appends the message as it was received.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        Self::write(writer, self.message_type, self.transaction_id, |w| w.bytes(self.options.octets()));
    }

    /// Appends a message whose options `options` writes.
    #[inline]
    pub fn write(
        writer: &mut Writer<'_>,
        message_type: MessageType,
        transaction_id: TransactionId,
        options: impl FnOnce(&mut Writer<'_>),
    ) {
        writer.u8(message_type as u8);
        writer.bytes(&transaction_id.octets());
        options(writer);
    }
}

/// A Relay-forward or Relay-reply (RFC 8415 §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayMessage<'a> {
    /// One of the two.
    pub message_type: MessageType,
    /// Relays that this has passed before.
    pub hop_count: u8,
    /// Names the client's link; may be unspecified.
    pub link_address: Ipv6Addr,
    /// Who sent to this relay.
    pub peer_address: Ipv6Addr,
    /// What the relay adds, and the message it wraps.
    pub options: Options<'a>,
}

impl<'a> RelayMessage<'a> {
    /// Decodes one level; the message inside stays as it is.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let message_type = match MessageType::try_from(reader.u8()?)? {
            kind @ (MessageType::RelayForward | MessageType::RelayReply) => kind,
            _ => return Err(DecodeError::NotRelayed),
        };
        Ok(Self {
            message_type,
            hop_count: reader.u8()?,
            link_address: reader.address()?,
            peer_address: reader.address()?,
            options: Options::new(reader.rest())?,
        })
    }

    /// Appends the message as it was received.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        self.encode_header(writer);
        writer.bytes(self.options.octets());
    }

    /// Appends all but the options.
    pub fn encode_header(&self, writer: &mut Writer<'_>) {
        writer.bytes(&[self.message_type as u8, self.hop_count]);
        writer.address(self.link_address);
        writer.address(self.peer_address);
    }

    /// The message it wraps: a second one is an error, none is `None`.
    pub fn relayed(&self) -> Result<Option<&'a [u8]>, DecodeError> {
        self.options.only(OptionCode::RELAY_MSG)
    }
}
