//! DHCPv6 in which a delegated prefix survives a reboot.

pub mod query;
