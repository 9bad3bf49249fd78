//! What a DHCPv6 relay does with what arrives, and which routes follow from it.
//!
//! - [`Port`] and [`Ports`]: the interfaces that clients are on;
//! - [`Delegation`]: a prefix that was delegated through this relay, until when, to whom and where;
//! - [`recovery`]: how all this is learnt again from the servers;
//! - [`Route`] and [`Change`]: what the kernel is told of it.
//!
//! Nothing here opens a socket or reads a clock; the caller carries octets in and out and says what
//! time it is.

mod delegation;
mod discard;
pub mod limits;
mod moment;
mod port;
pub mod recovery;
mod route;
mod template;

pub use delegation::{Delegation, ServerId, Teller};
pub use discard::Discard;
pub use moment::Moment;
pub use port::{Port, PortId, PortRules, Ports, RemoteId};
pub use route::{Change, Failure, Route, Target};
pub use template::{ExpandError, Facts, Template, TemplateError};
