//! The question inside a leasequery (RFC 5007 §4.1.2.1, RFC 5460 §5.3).

use std::net::Ipv6Addr;

use crate::{DecodeError, Options, Reader, Writer};

/// The inside of LQ_QUERY. The query options are proven in outline only when asked for, because a
/// query whose options do not parse is to be answered and not dropped (MalformedQuery).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LqQuery<'a> {
    /// What is asked by; any number may arrive.
    pub query_type: QueryType,
    /// Limits the search to one link; unspecified is no limit.
    pub link_address: Ipv6Addr,
    query_options: &'a [u8],
}

impl<'a> LqQuery<'a> {
    /// A question with these query options.
    pub fn new(query_type: QueryType, link_address: Ipv6Addr, options: Options<'a>) -> Self {
        Self { query_type, link_address, query_options: options.octets() }
    }

    pub(crate) fn decode(data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(data);
        let query_type = QueryType(reader.u8()?);
        Ok(Self { query_type, link_address: reader.address()?, query_options: reader.rest() })
    }

    /// The options behind type and link.
    pub fn options(self) -> Result<Options<'a>, DecodeError> {
        Options::new(self.query_options)
    }

    /// Appends the data of the option.
    pub fn encode_data(self, w: &mut Writer<'_>) {
        let Self { query_type, link_address, query_options } = self;
        w.u8(query_type.0);
        w.address(link_address);
        w.bytes(query_options);
    }
}

/// What a query asks by (RFC 5007 §4.1.2.1, RFC 5460 §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryType(pub u8);

impl QueryType {
    /// The client that holds an address, or a prefix around it.
    pub const BY_ADDRESS: Self = Self(1);
    /// A client, by DUID.
    pub const BY_CLIENT_ID: Self = Self(2);
    /// All clients heard through a relay; TCP only.
    pub const BY_RELAY_ID: Self = Self(3);
    /// All clients on a link; TCP only.
    pub const BY_LINK_ADDRESS: Self = Self(4);
    /// All clients heard with a Remote-ID; TCP only.
    pub const BY_REMOTE_ID: Self = Self(5);

    /// Whether RFC 5460 has added it, for TCP alone.
    pub fn is_bulk_only(self) -> bool {
        (Self::BY_RELAY_ID.0..=Self::BY_REMOTE_ID.0).contains(&self.0)
    }
}

impl std::fmt::Display for QueryType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::BY_ADDRESS => f.write_str("address"),
            Self::BY_CLIENT_ID => f.write_str("client"),
            Self::BY_RELAY_ID => f.write_str("relay-id"),
            Self::BY_LINK_ADDRESS => f.write_str("link"),
            Self::BY_REMOTE_ID => f.write_str("remote-id"),
            Self(number) => write!(f, "type-{number}"),
        }
    }
}
