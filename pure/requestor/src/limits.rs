//! How long a server may take, and how much it may make us remember.

use std::time::Duration;

/// How long an attempt to connect may take: BULK_LQ_CONN_TIMEOUT, which only the draft of RFC 5460
/// has (§6.1). A host that does not exist must not hold up the others.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may be silent or blocked: BULK_LQ_DATA_TIMEOUT (RFC 5460 §5.6).
pub const DATA_TIMEOUT: Duration = Duration::from_secs(300);
/// The wait before the first new attempt: short, because most losses are.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// The least wait after QueryTerminated: the server has just said that it is busy or going down.
pub const BACKOFF_AFTER_TERMINATION: Duration = Duration::from_secs(5);
/// The longest wait: BULK_LQ_MAX_RETRY, which only the draft of RFC 5460 has (§6.1).
pub const BACKOFF_CEILING: Duration = Duration::from_secs(60);
/// Links of one client that are asked for one after the other over UDP. A client on more is none
/// that a network has, and each link costs an exchange.
pub const MAX_CLIENT_LINKS: usize = 64;
/// CLT_TIME from here on is no duration (it would be 31 years) but a date, as ISC dhcpd sends it.
pub const FIRST_ABSOLUTE_CLT: u32 = 1_000_000_000;
/// Octets of the text of a status that are kept: enough for a line, whatever the server sends.
pub const MAX_STATUS_TEXT_OCTETS: usize = 256;
/// Transaction ids that a connection can use: one each, and never again (RFC 5460 §6.5).
pub const MAX_QUESTIONS: u32 = 1 << 24;
