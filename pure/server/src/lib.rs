//! What a DHCPv6 server does with what arrives.
//!
//! - [`exchange`]: what clients send, directly or through relays, and what they are answered;
//! - [`assign`]: which address or prefix a client is given;
//! - [`leasequery`]: what others ask about bindings, over UDP and TCP;
//! - [`Journal`]: what has changed and is not durable yet, and the answers that wait for that.
//!
//! Nothing here opens a socket or reads a clock; the caller carries octets in and out and says what
//! time it is.

mod arrival;
pub mod assign;
pub mod counters;
mod discard;
pub mod exchange;
mod journal;
pub mod leasequery;
pub mod limits;

pub use arrival::Arrived;
pub use counters::Counters;
pub use discard::Discard;
pub use journal::{Batch, Journal};

/// What the server holds, and the links it holds it on.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Every client.
    pub table: lease::Table,
    /// The links as configured.
    pub links: lease::Links,
}
