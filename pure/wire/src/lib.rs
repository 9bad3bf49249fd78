//! DHCPv6 and leasequery messages: octets to nouns and back.
//!
//! Decoding borrows: a [`Message`] is a view of the octets it was decoded from, and nothing is
//! copied or allocated by a length that a peer states. It goes in two steps. First the outline: the
//! header, and a walk over the options that proves that each ends inside its container
//! ([`Options`]). Then, only for those that somebody asks for, the inside of an option
//! ([`DhcpOption`], or a typed accessor such as [`Options::client_id`]). An option that nobody
//! asks for, known or not, stays the octets it was and is written again unchanged.
//!
//! Encoding appends to a vector through a [`Writer`], which fills in the lengths and remembers if
//! one of them did not fit into its 16 bits.
//!
//! Sources: RFC 8415 (as revised by RFC 9915) for messages and options, RFC 5007, RFC 5460 and
//! RFC 7653 for leasequery.

mod code;
mod domain;
mod duid;
mod error;
mod frame;
mod ia;
mod ids;
pub mod leasequery;
pub mod limits;
mod message;
mod ntp;
mod option;
mod options;
mod prefix;
mod reader;
mod relay;
mod status;
mod time;
mod values;
mod writer;

pub use code::{OptionCode, UnknownOption};
pub use domain::{DomainName, DomainNameError, Names};
pub use duid::{Duid, DuidError, DuidRef};
pub use error::DecodeError;
pub use frame::{FrameBuffer, FrameError, write_frame};
pub use ia::{Ia, IaAddress, IaKind, IaPrefix};
pub use ids::{Iaid, TransactionId};
pub use message::{ClientMessage, Message, MessageType, RelayMessage};
pub use ntp::NtpServer;
pub use option::{Authentication, DhcpOption, LinkLayerAddress, PrefixExclude};
pub use options::{Options, RawOption};
pub use prefix::{Prefix, PrefixError};
pub use reader::Reader;
pub use relay::{RelayChain, RelayData};
pub use status::{Status, StatusCode};
pub use time::{AbsoluteTime, INFINITE};
pub use values::{Addresses, ClassData, Codes, VendorClass, VendorOptions};
pub use writer::{TooLong, Writer};

/// UDP port on which servers and relays listen, and TCP port of bulk and active leasequery
/// (RFC 8415 §7.2, RFC 5460 §5.6).
pub const SERVER_PORT: u16 = 547;
/// UDP port on which clients listen (RFC 8415 §7.2).
pub const CLIENT_PORT: u16 = 546;
