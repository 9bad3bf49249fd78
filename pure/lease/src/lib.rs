//! What is held: clients, links, and the table with its ordered indexes.
//!
//! The unit is the [`Client`]: everything one DUID holds on one link. The table keeps each client
//! as its *image*, the very octets that the store writes ([`image`]), and reads them in place
//! ([`ClientView`]); so a million clients cost what their octets cost, and there is no second form
//! of a record that could disagree with the first.

mod client;
pub mod image;
pub mod limits;
mod link;
mod pool;
mod relay_path;
mod resource;
mod table;
mod view;

pub use client::{Binding, Client, ClientKey, Heard, Lease, LeaseState, ReconfigureKey};
pub use image::ImageError;
pub use link::{InterfacePattern, Link, LinkId, Links};
pub use pool::{AddressPool, DelegationPool};
pub use relay_path::{RelayPath, RelayPathError};
pub use resource::Resource;
pub use table::{
    AfterImage, Conflict, Cursor, Identifier, InTurn, Join, Records, Search, Seq, Table, Together,
};
pub use view::{ClientView, HeldLease};
pub use wire::IaKind;
