//! The exchanges with clients, and what is said of them for all links: `[dhcp]`.

use std::net::SocketAddrV6;

use lease::InterfacePattern;
use server::assign::Reservation;
use server::exchange::Rules;
use wire::{CLIENT_PORT, SERVER_PORT};

use super::sockets::any_address;

/// Exchanges with clients, directly and through relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dhcp {
    /// Where to listen; nowhere switches DHCP off. An address may be one of leasequery over UDP, too:
    /// then one socket serves both.
    pub listen: Vec<SocketAddrV6>,
    /// Interfaces whose multicast groups are joined, besides those of links: relays may multicast.
    pub interfaces: Vec<InterfacePattern>,
    /// Where answers to clients go.
    pub client_port: u16,
    /// Where answers to relays go.
    pub relay_port: u16,
    /// Seconds that what was offered waits for its client.
    pub offer_secs: u32,
    /// What the pure server goes by; every link of the configuration is in it.
    pub rules: Rules,
    /// What is kept for subscribers, in the order of the file.
    pub reservations: Vec<Reservation>,
}

impl Default for Dhcp {
    fn default() -> Self {
        Self {
            listen: vec![any_address()],
            interfaces: Vec::new(),
            client_port: CLIENT_PORT,
            relay_port: SERVER_PORT,
            offer_secs: 30,
            rules: Rules::default(),
            reservations: Vec::new(),
        }
    }
}
