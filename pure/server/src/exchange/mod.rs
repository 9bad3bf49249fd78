//! What clients send, directly or through relays, and what they are answered (RFC 9915).

mod options;
mod terms;

pub use options::{Offered, OfferedOptions};
pub use terms::{LinkTerms, PoolTerms, Rules, Terms};
