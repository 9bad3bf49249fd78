//! What has to hold of queries and what answers them. How octets are read ([`told`]), what a server holds by all
//! that it has written down ([`ledger`]) and which queries are open ([`docket`]) are the oracles' own.

pub(super) mod complete;
mod docket;
pub(super) mod ends;
pub(super) mod fair;
pub(super) mod grammar;
mod ledger;
mod told;
pub(super) mod truthful;
pub(super) mod understood;

pub(super) use docket::SharedDocket;
