//! What the server does with a LEASEQUERY, over UDP and over TCP.
//!
//! It is judged and becomes a [`Query`] or a [`Refusal`] (`query.rs`). Over UDP it is
//! answered in one go (`datagram.rs`). Over TCP it becomes a feed (`feed.rs`): a place in a
//! search, filled into the connection for as long as there is room (`connection.rs`).
//!
//! Sources: RFC 5007 (leasequery), RFC 5460 (bulk leasequery).

mod access;
mod admission;
mod answer;
mod connection;
pub mod datagram;
mod feed;
mod policy;
mod query;
mod rate;
mod refusal;

pub use access::{Access, Rule};
pub use admission::{Admission, Entry, Place};
pub use connection::{Close, Connection, Waiting};
pub use feed::{Finished, InWork};
pub use policy::{BulkLimits, Policy};
pub use query::{Asked, Query, Transport, Wanted};
pub use rate::RateLimit;
pub use refusal::Refusal;
