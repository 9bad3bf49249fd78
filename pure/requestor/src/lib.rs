//! Asking DHCPv6 servers for their bindings: leasequery (RFC 5007) and bulk leasequery (RFC 5460).
//!
//! Nothing here touches a socket. A [`Question`] is what is asked. [`BulkConnection`] asks over one
//! TCP connection, many questions at a time; [`DatagramQuery`] asks one question over UDP, with
//! retransmissions. Both are handed octets and the time, and hand back octets, [`Event`]s and the
//! time at which they want to be called again. What events tell of a client ([`ClientData`])
//! borrows from the octets received; [`ClientRecord`] owns it, and [`Merged`] unites what several
//! servers said.
//!
//! A server's mistakes are survived wherever the bindings beside them are good, and are counted
//! ([`Warnings`]).

mod answer;
mod backoff;
mod bulk;
mod client_data;
mod datagram;
mod event;
pub mod limits;
mod merge;
mod question;
mod record;
mod relay_path;
mod retransmit;
mod warning;

pub use backoff::Backoff;
pub use bulk::{AskError, BulkConnection, Counters, Fault};
pub use client_data::{ClientData, Lease, Resource};
pub use datagram::{DatagramError, DatagramQuery};
pub use event::{Event, Gap, Outcome, Refusal};
pub use merge::{Merged, MergedLease, SourceId, Told};
pub use question::{Asker, Question, QuestionError, Subject};
pub use record::{ClientRecord, HopRecord, LeaseRecord, Lifetime, RelayRecord};
pub use relay_path::RelayPath;
pub use retransmit::{Attempts, Retransmission};
pub use warning::{Warning, Warnings};
