//! Our relay meets the clients, servers and routing daemons that Debian has.
//!
//! A scenario has a site of its own ([`site`]): clients, the relay, servers, and a host far away, from which the clients' prefixes
//! are reached or not. Every DHCPv6 packet that the relay sends or receives is read by tshark in the end, and whatever routes
//! and networks are not the relay's have to be as they were.

mod chains;
mod clients;
mod interfaces;
mod kernel;
mod many;
mod ours;
mod outage;
mod redistribution;
mod restart;
mod servers;
mod site;
mod stage;

use crate::client::{self, Program};
use crate::relay::Relay;
use crate::scenario::Report;
use crate::{Scenario, all_pass};
use chains::Between;
use servers::Kind;

#[test]
fn clients_behind_our_relay() {
    let live = |program: &'static Program, server: Kind| Scenario {
        place: format!("{} with {}", program.name, server.name()),
        play: Box::new(move || clients::live(program, server)),
    };
    all_pass(
        "our relay",
        &["dhclient", "dhcpcd", "dibbler-client", Kind::Kea.program(), Kind::Isc.program(), "ping"],
        [
            live(&client::DHCLIENT, Kind::Leasehold),
            live(&client::DHCPCD, Kind::Leasehold),
            live(&client::DIBBLER, Kind::Leasehold),
            live(&client::DHCLIENT, Kind::Kea),
            live(&client::DHCPCD, Kind::Isc),
        ],
    );
}

#[test]
fn our_relay_restarted() {
    let memory = |server: Kind| Scenario {
        place: format!("killed, back from memory, {} away", server.name()),
        play: Box::new(move || restart::from_memory(server)),
    };
    all_pass(
        "our relay",
        &["dhclient", Kind::Kea.program(), Kind::Isc.program(), "ping"],
        [
            scenario("killed, back from the server", restart::from_servers),
            memory(Kind::Leasehold),
            memory(Kind::Kea),
            memory(Kind::Isc),
            scenario("on another machine", restart::elsewhere),
            scenario("one of two servers away", outage::one_of_two),
            scenario("a prefix released meanwhile", outage::released_meanwhile),
        ],
    );
}

#[test]
fn around_our_relay() {
    let before = |between: Between| Scenario {
        place: format!("before {}", between.name()),
        play: Box::new(move || chains::behind(between)),
    };
    all_pass(
        "our relay",
        &["dhclient", "bird", Relay::Isc.program(), Relay::Dibbler.program(), "ping"],
        [
            scenario("an interface vanishes and comes back", interfaces::vanishing),
            scenario("an interface rests", interfaces::resting),
            scenario("beside BIRD", redistribution::redistribute),
            before(Between::Debian(Relay::Isc)),
            before(Between::Debian(Relay::Dibbler)),
            before(Between::Ours),
        ],
    );
}

#[test]
fn many_delegations_behind_our_relay() {
    all_pass("our relay", &["ping"], [scenario("with 20,000 delegations", many::recover)]);
}

fn scenario(place: &str, play: fn() -> Result<Report, String>) -> Scenario {
    Scenario { place: place.to_owned(), play: Box::new(play) }
}
