//! What a DHCPv6 relay does with what arrives, and which routes follow from it.
//!
//! - [`forward`] and [`deliver`]: a message on its way to the servers, and an answer on its way back;
//! - [`Lightweight`]: the same for a bridge;
//! - [`Port`] and [`Ports`]: the interfaces that clients are on;
//! - [`Delegation`]: a prefix that was delegated through this relay, until when, to whom and where;
//! - [`learn`]: what the messages that pass say of them, and [`Delegations`]: all that are known;
//! - [`image`]: how one of them is written down;
//! - [`recovery`]: how all this is learnt again from the servers;
//! - [`Agent`]: what one datagram, one answer of a server or the passing of time brings about in all of these;
//! - [`Routes`]: which routes follow from that, which are there, and what the kernel is told to change.
//!
//! Nothing here opens a socket or reads a clock; the caller carries octets in and out and says what
//! time it is.

mod agent;
mod arrival;
mod counters;
mod delegation;
mod delegations;
mod deliver;
mod discard;
mod forward;
pub mod image;
pub mod learn;
mod levels;
mod lightweight;
pub mod limits;
mod moment;
mod note;
mod pace;
mod port;
pub mod recovery;
mod route;
mod routes;
mod template;
mod terms;

pub use agent::{Agent, Passed, Setup};
pub use arrival::Arrival;
pub use counters::{Counters, Messages, Peer};
pub use delegation::{Delegation, ServerId, Teller};
pub use delegations::{Changed, Counts, DelegationRef, Delegations, EpochEnd, Filter, Limits, Verdict};
pub use deliver::{Delivery, deliver};
pub use discard::Discard;
pub use forward::{Forwarded, forward};
pub use lightweight::{Lightweight, PacedPort};
pub use moment::Moment;
pub use note::Note;
pub use port::{Port, PortId, PortRules, Ports, RemoteId};
pub use route::{Change, Failure, Owner, Route, Seen, Target};
pub use routes::{ListedRoute, Refused, RouteCounters, RouteRules, RouteState, Routes};
pub use template::{ExpandError, Facts, Template, TemplateError};
pub use terms::{EchoRequest, SuppliedOptions, Terms, UnsuitableOption};
