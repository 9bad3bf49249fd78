//! Killed without warning under load, again and again, the server and the relay have lost nothing that anybody was told.
//!
//! The programs are the real ones with their real state folders, which stay from kill to kill. Made-up customers
//! ([`load`]) solicit, request, renew, rebind, decline and release, and note what Replies promise them ([`customer`]). At a
//! moment that a seed draws, the program is killed by SIGKILL; it is started again, perhaps killed while it starts, and when
//! it is at work what it knows is compared with all that was promised ([`judge`], and [`relay`] for routes).
//!
//! A killed process loses what it had not given to the kernel. What a machine loses whose power fails is another matter, for
//! the tests of the store.

mod customer;
mod judge;
mod line;
mod load;
#[path = "../net/namespace.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
mod namespace;
mod program;
mod relay;
mod report;
mod server;
mod told;

use std::time::Duration;

/// How long something that must happen may take.
const PATIENCE: Duration = Duration::from_secs(30);

// DH-L-21, DH-S-03
#[test]
fn a_server_keeps_what_it_has_said_through_every_kill() {
    server::kill_often();
}

// PDR-24
#[test]
fn a_relay_has_its_routes_back_after_every_kill() {
    namespace::in_namespaces(relay::kill_often);
}
