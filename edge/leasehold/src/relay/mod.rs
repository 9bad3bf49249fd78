//! `leasehold relay`: the relay, from its configuration to its sockets.

pub mod desk;
pub mod lightweight;
pub mod ports;
pub mod recovery;
