//! What the relay asks the kernel for, and tells it, over rtnetlink: routes and interfaces.
//!
//! A [`RouteWriter`] puts routes in and takes them out, hundreds with one call. [`dump`] reads the whole table,
//! [`Notifications`] tell what others change in it, and [`interfaces`] says which interfaces there are.
//! All routes that we write bear one protocol number and stand in one table with one metric:
//! [`RouteSettings`]. Whatever else stands there is a stranger's: nothing is added in its place or beside it, and
//! a deletion names our protocol. To be replaced a route has to be known to be ours: the kernel does not ask.
//!
//! All of this belongs to the network namespace of the thread that opens it.

mod dump;
mod filter;
mod interfaces;
mod notifications;
mod route;
mod socket;
mod strangers;
mod writer;

pub use dump::dump;
pub use filter::{Element, Elements, Filter, FilterSettings, Loops, is_plain_name};
pub use interfaces::{InterfaceAddress, InterfaceFacts, interfaces};
pub use notifications::{News, Notifications, RouteNews};
pub use route::{Stranger, request, seen};
pub(crate) use socket::ask;
pub use strangers::strangers;
pub use writer::{BATCH, RouteWriter};

/// The number by which our routes are known if nothing else is configured.
pub const DEFAULT_PROTOCOL: u8 = 220;
/// The metric of our routes if nothing else is configured: behind what the host is connected to (256), before
/// what others write without a choice (1024).
pub const DEFAULT_METRIC: u32 = 512;
/// The table that is looked into if nothing else is said.
pub const MAIN_TABLE: u32 = 254;

/// By what our routes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteSettings {
    /// Who has made them: `rtm_protocol`.
    pub protocol: u8,
    /// The table that they are in.
    pub table: u32,
    /// Their metric; at least 1.
    pub metric: u32,
    /// Whether the table belongs to a VRF: then a prefix that is connected elsewhere does not count.
    pub is_vrf: bool,
}

impl Default for RouteSettings {
    fn default() -> Self {
        Self { protocol: DEFAULT_PROTOCOL, table: MAIN_TABLE, metric: DEFAULT_METRIC, is_vrf: false }
    }
}
