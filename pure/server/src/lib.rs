//! What a server does with the leasequeries that arrive.
//!
//! A LEASEQUERY is judged and becomes a [`Query`](query::Query) or a refusal (`query.rs`). Over UDP
//! it is answered in one go (`datagram.rs`). Over TCP it becomes a [`Feed`](feed::Feed): a place in
//! a search, filled into the connection for as long as there is room (`connection.rs`). Nothing
//! here opens a socket or reads a clock; the caller carries octets in and out and says what time it
//! is.
//!
//! Sources: RFC 5007 (leasequery), RFC 5460 (bulk leasequery).

pub mod access;
pub mod admission;
mod answer;
pub mod connection;
pub mod counters;
pub mod datagram;
pub mod feed;
pub mod limits;
pub mod policy;
pub mod query;
pub mod rate;
pub mod refusal;

pub use access::{Access, Rule};
pub use admission::Admission;
pub use connection::{Close, Connection, Waiting};
pub use counters::Counters;
pub use feed::Finished;
pub use policy::{BulkLimits, Policy};
pub use rate::RateLimit;
pub use refusal::{Discard, Refusal};

/// What queries are answered from.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Every client.
    pub table: lease::Table,
    /// The links as configured.
    pub links: lease::Links,
}
