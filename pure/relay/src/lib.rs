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
mod counters;
mod delegations;
mod discard;
mod forwarding;
mod lightweight;
pub mod limits;
mod moment;
mod note;
mod pace;
mod ports;
pub mod recovery;
mod routes;

pub use agent::{Agent, Passed, Setup};
pub use counters::{Counters, Messages, Peer};
pub use delegations::{
    Changed, Counts, Delegation, DelegationRef, Delegations, EpochEnd, Filter, Limits, ServerId, Teller,
    Verdict, image, learn,
};
pub use discard::Discard;
pub use forwarding::{
    Arrival, Delivery, EchoRequest, Forwarded, SuppliedOptions, Terms, UnsuitableOption, deliver, forward,
};
pub use lightweight::{Lightweight, PacedPort};
pub use moment::Moment;
pub use note::Note;
pub use ports::{ExpandError, Facts, Port, PortId, PortRules, Ports, RemoteId, Template, TemplateError};
pub use routes::{
    Change, Failure, ListedRoute, Owner, Refused, Route, RouteCounters, RouteRules, RouteState, Routes, Seen,
    Target,
};
