//! Messages on their way through a relay (RFC 9915 §19): [`forward`] wraps what clients and other relays
//! send, [`deliver`] unwraps what servers answer.
//!
//! Both look at octets and decide where they go on; they know nothing of leases. What is inside goes on as
//! it came. [`Terms`] is what the operator has decided, and [`Arrival`] how a datagram has come.

mod arrival;
mod deliver;
mod forward;
mod levels;
mod terms;

pub use arrival::Arrival;
pub use deliver::{Delivery, deliver};
pub use forward::{Forwarded, forward};
pub use terms::{EchoRequest, SuppliedOptions, Terms, UnsuitableOption};

pub(crate) use deliver::{port_of_relay, relay_reply};
pub(crate) use forward::{Level, downstream_port, only_servers_say};
pub(crate) use levels::RELAY_HEADER_OCTETS;
