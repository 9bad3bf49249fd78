//! A relay as a whole: datagrams pass, delegations and the wanted routes follow.

mod hostile;
mod keeping;
mod kernel;
mod model;
mod recovering;
mod reloading;
mod site;
mod upstream;

use std::net::Ipv6Addr;
use std::time::Duration;

use relay::{
    Agent, Arrival, Counters, Note, Passed, PortRules, RouteRules, Setup, Target, Terms, Verdict, image,
    recovery,
};
use wire::{Iaid, MessageType, OptionCode, Prefix, PrefixExclude, Writer};
use world::{Chance, Instant, Now};

use crate::exchanges::{duid, ia_pd, message, prefix};
use crate::kit::{ACCESS, OTHER, RELAY_ID, SERVER, address, port, relay_message};

const UPSTREAM: u32 = 1;

struct Relay {
    agent: Agent,
    counters: Counters,
    now: Instant,
}

impl Relay {
    fn new(rules: PortRules) -> Self {
        let relay_id = wire::Duid::new(RELAY_ID).expect("ten octets");
        let setup = Setup {
            terms: Terms::default(),
            recovery: recovery::Terms::new(relay_id, vec![false]),
            routes: Some(RouteRules::default()),
            host_routes: false,
            unique_clients: false,
            remembers: true,
        };
        let now = Instant::since_start(Duration::from_secs(100));
        let mut agent = Agent::new(setup, Chance::from_seed(7), now);
        let ports = [port(ACCESS, "ge-0/0/7", 1), port(OTHER, "ge-0/0/8", 2)];
        agent.set_ports(ports.map(|port| relay::Port { rules, ..port }).to_vec(), now);
        Self { agent, counters: Counters::default(), now }
    }

    /// A client's message: what goes to the servers.
    fn client_sends(&mut self, client: u8, octets: &[u8]) -> Vec<u8> {
        let arrival = Arrival {
            source: client_address(client),
            source_port: 546,
            destination: address("ff02::1:2"),
            interface_index: ACCESS,
            link_layer: None,
        };
        let mut out = Vec::new();
        let passed = self.agent.take(&arrival, octets, self.now, &self.counters, &mut out);
        assert_eq!(passed, Ok(Passed::ToServers));
        out
    }

    /// A server's message for a client: what reaches the client.
    fn server_sends(&mut self, client: u8, octets: &[u8]) -> Vec<u8> {
        let options = [(OptionCode::INTERFACE_ID, &b"ge-0/0/7"[..]), (OptionCode::RELAY_MSG, octets)];
        let wrapped = relay_message(MessageType::RelayReply, 0, "::", client_address(client), &options);
        let arrival = Arrival {
            source: SERVER,
            source_port: 547,
            destination: address("2001:db8:ffff::1"),
            interface_index: UPSTREAM,
            link_layer: None,
        };
        let passed = self.agent.take(&arrival, &wrapped, self.now, &self.counters, &mut Vec::new());
        match passed {
            Ok(Passed::ToClient(delivery)) => {
                assert_eq!(delivery.to, client_address(client));
                delivery.octets.to_vec()
            }
            other => panic!("not delivered: {other:?}"),
        }
    }

    /// A Reply grants a prefix for so long.
    fn granted(&mut self, client: u8, prefix: Prefix, valid_secs: u32) {
        let octets = message(MessageType::Reply, &duid(client), |w| ia_pd(w, 1, &[(prefix, 0, valid_secs)]));
        assert_eq!(self.server_sends(client, &octets), octets, "it is delivered as it is");
    }

    fn routes(&self) -> Vec<(Prefix, Target)> {
        let listed = self.agent.routes().after(None);
        listed.filter_map(|route| Some((route.destination, route.wanted?))).collect()
    }

    fn pass(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
        self.agent.tick(self.now);
    }
}

fn client_address(client: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, client.into())
}

fn net(number: u16) -> Prefix {
    Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, number, 0, 0, 0, 0, 0), 56).expect("56 bits")
}

fn via(client: u8) -> Target {
    Target::Via { next_hop: client_address(client), interface_index: ACCESS }
}

// PDR-02
#[test]
fn what_others_hold_keeps_no_client_from_the_servers() {
    let mut relay = Relay::new(PortRules::default());
    relay.granted(1, net(1), 300);
    for (client, message_type) in
        [(2, MessageType::Solicit), (2, MessageType::Renew), (1, MessageType::Solicit)]
    {
        let octets = message(message_type, &duid(client), |w| ia_pd(w, 1, &[(net(1), 0, 0)]));
        let forwarded = relay.client_sends(client, &octets);
        let forwarded = wire::RelayMessage::decode(&forwarded).expect("a Relay-forward");
        assert_eq!(forwarded.relayed(), Ok(Some(&octets[..])), "whole and unchanged");
    }
    assert_eq!(relay.routes(), [(net(1), via(1))], "and asking gets nobody a route, and takes nobody's");
}

// PDR-03, PDR-11, PDR-13, PDR-14, PDR-15
#[test]
fn each_delegated_prefix_has_a_route_for_as_long_as_it_is_valid() {
    let mut relay = Relay::new(PortRules::default());
    let (short, long) = (prefix("2001:db8:100::/56"), prefix("2001:db8:200::/60"));
    let octets =
        message(MessageType::Reply, &duid(1), |w| ia_pd(w, 1, &[(short, 100, 300), (long, 100, 600)]));
    relay.server_sends(1, &octets);
    assert_eq!(relay.routes(), [(short, via(1)), (long, via(1))]);
    relay.pass(299);
    assert_eq!(relay.routes().len(), 2);
    relay.pass(1);
    assert_eq!(relay.routes(), [(long, via(1))]);
    relay.pass(300);
    assert_eq!(relay.routes(), []);
}

// PDR-06, PDR-07, PDR-08
#[test]
fn beyond_the_limit_of_a_port_messages_pass_and_routes_are_not_made() {
    let mut relay = Relay::new(PortRules { max_delegations: 3, ..PortRules::default() });
    (1..=3).for_each(|client| relay.granted(client, net(client.into()), 300));
    relay.agent.take_notes();
    let request = message(MessageType::Request, &duid(4), |w| ia_pd(w, 1, &[]));
    assert!(!relay.client_sends(4, &request).is_empty());
    relay.granted(4, net(4), 300);
    assert_eq!(relay.routes().len(), 3);
    let notes = relay.agent.take_notes();
    assert!(
        matches!(&notes[..], [Note::Delegation { prefix, verdict: Verdict::TooManyOnPort, .. }] if *prefix == net(4)),
        "{notes:?}"
    );
}

// PDR-10
#[test]
fn a_renewal_moves_the_end() {
    let mut relay = Relay::new(PortRules::default());
    relay.granted(1, net(1), 300);
    relay.pass(200);
    relay.granted(1, net(1), 600);
    relay.pass(599);
    assert_eq!(relay.routes(), [(net(1), via(1))]);
    relay.pass(1);
    assert_eq!(relay.routes(), []);
}

// PDR-12, PDR-14
#[test]
fn a_release_ends_its_associations_as_it_is_forwarded() {
    let mut relay = Relay::new(PortRules::default());
    let octets = message(MessageType::Reply, &duid(1), |w| {
        ia_pd(w, 1, &[(net(1), 0, 300), (net(2), 0, 300)]);
        ia_pd(w, 2, &[(net(3), 0, 300)]);
    });
    relay.server_sends(1, &octets);
    assert_eq!(relay.routes().len(), 3);
    let release = message(MessageType::Release, &duid(1), |w| ia_pd(w, 1, &[(net(1), 0, 0)]));
    assert!(!relay.client_sends(1, &release).is_empty());
    assert_eq!(relay.routes(), [(net(3), via(1))]);
}

// PDR-35
#[test]
fn an_excluded_prefix_changes_no_route() {
    let mut relay = Relay::new(PortRules::default());
    let (delegated, excluded) = (prefix("2001:db8:100::/56"), prefix("2001:db8:100:ff::/64"));
    let octets = message(MessageType::Reply, &duid(1), |w: &mut Writer<'_>| {
        w.ia_pd(Iaid(1), 0, 0, |w| {
            w.ia_prefix(delegated, 10, 20, |w| {
                let data = PrefixExclude::data(excluded, delegated).expect("it lies inside");
                w.raw_option(OptionCode::PD_EXCLUDE, &data);
            });
        });
    });
    relay.server_sends(1, &octets);
    assert_eq!(relay.routes(), [(delegated, via(1))]);
}

// PDR-24
#[test]
fn what_was_written_down_has_its_route_again_and_what_is_over_is_struck_out() {
    let mut before = Relay::new(PortRules::default());
    before.granted(1, net(1), 300);
    before.granted(2, net(2), 60);
    assert_eq!(before.agent.take_unwritten(10), [net(1), net(2)]);
    let written = [net(1), net(2)].map(|prefix| {
        let held = before.agent.delegations().get(prefix).expect("it is held");
        let interface_id = before.agent.ports().interface_id(held.port);
        image::encode(&held, interface_id, Now { instant: before.now, unix_secs: 1_800_000_000 })
    });

    let mut after = Relay::new(PortRules::default());
    let now = Now { instant: after.now, unix_secs: 1_800_000_100 };
    let verdicts = written.map(|octets| {
        let image = image::decode(&octets).expect("an image");
        let port = after.agent.port_of(image.interface_id).expect("there is room");
        after.agent.remember(image.delegation(port, now), now.instant)
    });
    assert_eq!(verdicts, [Verdict::New, Verdict::Stale]);
    assert_eq!(after.routes(), [(net(1), via(1))], "without a word from anybody");
    assert_eq!(after.agent.take_unwritten(10), [net(2)]);
    after.pass(200);
    assert_eq!(after.routes(), [], "and only for what is left of its time");
}
