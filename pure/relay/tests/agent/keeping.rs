//! What an operator decides and does: limits, host routes, clearing.

use relay::{Filter, Note, PortRules, Verdict};
use wire::{IaKind, Iaid, MessageType, Prefix};

use super::site::{Customer, Site};
use crate::exchanges::{ia, message};
use crate::kit::{address, relay_message};

impl Site {
    fn rule(&mut self, rules: PortRules) {
        self.ports.iter_mut().for_each(|port| port.rules = rules);
        self.set_ports();
    }
}

// PDR-07, PDR-08: by the servers' word, too; and what is held already stays when the limit sinks.
#[test]
fn the_limit_of_a_port_holds_for_what_servers_tell() {
    let mut site = Site::new(1);
    let customers = [1, 2, 3, 4].map(|number| Customer::new(number, 1));
    customers.iter().for_each(|customer| _ = site.delegated(customer, 0));
    site.kernel.routes.clear();
    site.ports.iter_mut().for_each(|port| port.rules.max_delegations = 3);
    site.restart();
    site.recover();
    assert_eq!(site.kernel.ours().len(), 3);
    let is_refusal = |note: &Note| matches!(note, Note::Delegation { verdict: Verdict::TooManyOnPort, .. });
    assert_eq!(site.agent.take_notes().iter().filter(|note| is_refusal(note)).count(), 1);
    site.rule(PortRules { max_delegations: 4, ..PortRules::default() });
    site.refresh();
    assert_eq!(site.kernel.ours().len(), 4);
    site.rule(PortRules { max_delegations: 1, ..PortRules::default() });
    site.refresh();
    assert_eq!(site.kernel.ours().len(), 4);
}

// PDR-06, PDR-09
#[test]
fn the_ninth_prefix_of_a_client_has_no_route_and_the_client_has_it_all_the_same() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 1);
    let associations: Vec<(u32, &[Prefix])> = (1..=9).map(|iaid| (iaid, &[][..])).collect();
    let request = site.message(MessageType::Request, &customer, 0, &associations);
    assert_eq!(site.says(&customer, &request).len(), 1, "the Reply is delivered");
    assert_eq!(site.kernel.ours().len(), 8);
    assert_eq!(site.servers[0].leases(site.now()).len(), 9);
}

// PDR-05
#[test]
fn where_duids_are_unique_a_client_is_where_it_was_heard_last() {
    let mut site = Site::with(1, |setup| setup.unique_clients = true);
    let (here, there) = (Customer::new(1, 1), Customer { link: 2, ..Customer::new(1, 1) });
    site.delegated(&here, 0);
    site.pass(5);
    let second = site.delegated(&there, 0);
    assert_eq!(site.kernel.ours(), [(second, there.way())]);
    site.restart();
    site.recover();
    assert_eq!(site.kernel.ours(), [(second, there.way())], "though the server knows of both");
}

// PDR-29, PDR-14: by lease, by client, by port; servers are not told.
#[test]
fn what_is_cleared_loses_its_route_and_stays_away_until_it_is_spoken_of_anew() {
    let mut site = Site::new(1);
    let (one, two, three) = (Customer::new(1, 1), Customer::new(2, 1), Customer::new(3, 2));
    let prefixes = [&one, &two, &three].map(|customer| site.delegated(customer, 0));
    let port = site.agent.ports().with_interface_id(b"ge-0/0/2").expect("a port");
    let now = site.now().instant;
    site.agent.clear(&Filter::Prefix(prefixes[0]), now, 10);
    site.settle();
    assert_eq!(site.kernel.ours().len(), 2);
    site.agent.clear(&Filter::Client(two.duid.clone()), now, 10);
    site.settle();
    assert_eq!(site.kernel.ours(), [(prefixes[2], three.way())]);
    site.agent.clear(&Filter::Port(port), now, 10);
    site.settle();
    assert_eq!(site.kernel.ours(), []);
    assert_eq!(site.servers[0].leases(site.now()).len(), 3);
    site.pass(10);
    site.renews(&one, 0, prefixes[0]);
    assert_eq!(site.kernel.ours(), [(prefixes[0], one.way())]);
}

// PDR-13
#[test]
fn addresses_have_host_routes_if_they_are_to_have_them() {
    for host_routes in [false, true] {
        let mut site = Site::with(0, |setup| setup.host_routes = host_routes);
        let customer = Customer::new(1, 1);
        let host = Prefix::new(address("2001:db8:1::77"), 128).expect("128 bits");
        let told = |message_type, valid_secs| {
            message(message_type, &customer.duid, |w| ia(w, IaKind::Address, 1, &[(host, 0, valid_secs)]))
        };
        let options = |reply: &[u8]| {
            let options =
                [(wire::OptionCode::INTERFACE_ID, &b"ge-0/0/1"[..]), (wire::OptionCode::RELAY_MSG, reply)];
            relay_message(MessageType::RelayReply, 0, "::", customer.source, &options)
        };
        let reply = options(&told(MessageType::Reply, 600));
        site.arrives_upstream(address("2001:db8::547"), &reply).expect("it is delivered");
        site.settle();
        let expected = if host_routes { vec![(host, customer.way())] } else { Vec::new() };
        assert_eq!(site.kernel.ours(), expected);
        let decline = told(MessageType::Decline, 0);
        site.arrives(1, customer.source, &decline).expect("it is forwarded");
        site.settle();
        assert_eq!(site.kernel.ours(), []);
    }
}

// PDR-04, PDR-12: the whole IA_PD goes, whatever the Release names of it.
#[test]
fn a_release_ends_all_of_its_associations_and_no_others() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 1);
    let request = site.message(MessageType::Request, &customer, 0, &[(1, &[]), (2, &[]), (3, &[])]);
    site.says(&customer, &request);
    let of = |site: &Site, iaid| {
        let mut all = site.agent.delegations().all(None);
        all.find(|held| held.iaid == Some(Iaid(iaid))).map(|held| held.prefix)
    };
    let [first, second, third] = [1, 2, 3].map(|iaid| of(&site, iaid).expect("it is held"));
    let release = site.message(MessageType::Release, &customer, 0, &[(1, &[first]), (3, &[])]);
    site.says(&customer, &release);
    assert_eq!(site.kernel.ours(), [(second, customer.way())]);
    assert_eq!((of(&site, 1), of(&site, 3)), (None, None), "{third} too");
}
