//! A relay that was restarted, and real servers that say what it had delegated.

use relay::recovery::{Completeness, State};
use relay::{Owner, RouteState, Target};
use wire::{MessageType, Prefix};

use super::site::{Customer, Site, port};
use super::upstream::{VALID_SECS, pool};

fn prefix(text: &str) -> Prefix {
    text.parse().expect("a prefix")
}

// PDR-13, PDR-24, PDR-33, REL-42
#[test]
fn every_route_is_back_from_the_servers_alone() {
    let mut site = Site::new(2);
    let customers = [Customer::new(1, 1), Customer::new(2, 2), Customer::new(3, 1)];
    let expected: Vec<_> =
        (0..3).map(|n| (site.delegated(&customers[n], n % 2), customers[n].way())).collect();
    let expected = sorted(expected);
    assert_eq!(site.kernel.ours(), expected);
    site.kernel.routes.clear();
    site.restart();
    assert_eq!(site.kernel.ours(), []);
    site.recover();
    assert_eq!(site.kernel.ours(), expected);
    assert!(matches!(site.agent.recovery().state(), State::InSync { .. }));
    let told: Vec<_> = site.agent.delegations().all(None).map(|held| held.iaid).collect();
    assert_eq!(told, [None; 3], "nobody but the servers has told of them");
}

// PDR-10, PDR-11, PDR-24: lifetimes come along.
#[test]
fn what_is_recovered_ends_when_it_would_have_ended() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 1);
    site.delegated(&customer, 0);
    site.pass(100);
    site.restart();
    site.recover();
    site.pass(u64::from(VALID_SECS) - 101);
    assert_eq!(site.kernel.ours().len(), 1);
    site.pass(1);
    assert_eq!(site.kernel.ours(), []);
}

// PDR-24: from what was written down alone.
#[test]
fn every_route_is_back_from_memory_alone() {
    let mut site = Site::new(2);
    let customers = [Customer::new(1, 1), Customer::new(2, 2)];
    for (number, customer) in customers.iter().enumerate() {
        site.delegated(customer, number);
    }
    let before = site.kernel.ours();
    let images = site.images();
    site.servers.iter_mut().for_each(|server| server.is_up = false);
    site.kernel.routes.clear();
    site.restart_with(&images);
    assert_eq!(site.kernel.ours(), before);
    site.recover();
    assert_eq!(site.kernel.ours(), before, "a server's silence ends nothing");
    assert!(matches!(site.agent.recovery().state(), State::Degraded { .. }));
}

// PDR-24
#[test]
fn while_one_of_two_servers_is_down_nothing_goes_and_what_the_other_knows_comes() {
    let mut site = Site::new(2);
    let (one, two, gone) = (Customer::new(1, 1), Customer::new(2, 2), Customer::new(3, 2));
    let of_one = site.delegated(&one, 0);
    let of_two = site.delegated(&two, 1);
    let released = site.delegated(&gone, 0);
    // Of two routes the kernel keeps one that holds, and one that is over by now.
    site.kernel.routes.remove(&of_one);
    site.releases_unheard(&gone, 0, 1, released);
    site.restart();
    site.servers[1].is_up = false;
    site.recover();
    let all = sorted(vec![(of_one, one.way()), (of_two, two.way()), (released, gone.way())]);
    assert_eq!(site.kernel.ours(), all, "the first server's are there, and nothing has gone");
    assert_eq!(site.agent.routes().find(of_two).map(|route| route.state), Some(RouteState::Unproven));
    site.servers[1].is_up = true;
    site.pass(120);
    site.recover();
    assert_eq!(site.kernel.ours(), sorted(vec![(of_one, one.way()), (of_two, two.way())]));
    assert_eq!(site.agent.recovery().completeness(), Completeness::Complete);
}

// PDR-14
#[test]
fn what_was_released_while_the_relay_was_down_goes_after_the_last_done_and_not_before() {
    let mut site = Site::new(2);
    let (stays, goes) = (Customer::new(1, 1), Customer::new(2, 1));
    let kept = site.delegated(&stays, 0);
    let released = site.delegated(&goes, 0);
    site.releases_unheard(&goes, 0, 1, released);
    site.restart();
    for server in 0..2 {
        let mut talk = site.ask(server).expect("it is asked");
        site.answers(&mut talk);
        site.hears(&mut talk, usize::MAX);
        assert_eq!(site.kernel.ours().len(), 2, "all is told, and not every server is done");
        site.finish(talk);
    }
    assert_eq!(site.kernel.ours().len(), 2, "the second one has told of nobody, and is asked in other ways");
    site.recover();
    assert_eq!(site.kernel.ours(), [(kept, stays.way())]);
}

// PDR-34
#[test]
fn what_a_client_renews_meanwhile_counts_more_than_an_older_answer() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 1);
    let prefix = site.delegated(&customer, 0);
    site.pass(200);
    site.restart();
    let mut talk = site.ask(0).expect("it is asked");
    site.answers(&mut talk);
    site.pass(2);
    site.renews(&customer, 0, prefix);
    site.hears(&mut talk, usize::MAX);
    site.finish(talk);
    site.pass(u64::from(VALID_SECS) - 1);
    assert_eq!(site.kernel.ours(), [(prefix, customer.way())], "it ends when the renewed lease does");
    site.pass(1);
    assert_eq!(site.kernel.ours(), []);
}

// PDR-12, PDR-34
#[test]
fn a_release_during_recovery_is_not_undone_by_an_older_answer() {
    let mut site = Site::new(2);
    let (known, unknown) = (Customer::new(1, 1), Customer::new(2, 2));
    let first = site.delegated(&known, 0);
    let second = site.delegated(&unknown, 0);
    let images: Vec<_> = site.images().into_iter().take(1).collect();
    site.pass(50);
    site.restart_with(&images);
    let mut talk = site.ask(0).expect("it is asked");
    site.answers(&mut talk);
    site.pass(1);
    site.releases(&known, 0, first);
    site.releases(&unknown, 0, second);
    site.hears(&mut talk, usize::MAX);
    assert_eq!(site.held(), [], "the answer is older than the Releases");
    site.finish(talk);
    site.recover();
    assert_eq!(site.kernel.ours(), []);
}

// PDR-12, PDR-34: an answer is on its way for a while, and says of all of them that they were heard just now.
#[test]
fn what_was_heard_since_the_question_is_newer_than_any_answer() {
    let mut site = Site::new(1);
    let (released, renewed) = (Customer::new(1, 1), Customer::new(2, 1));
    let first = site.delegated(&released, 0);
    let second = site.delegated(&renewed, 0);
    let images = site.images();
    site.restart_with(&images);
    let mut talk = site.ask(0).expect("it is asked");
    site.answers(&mut talk);
    site.pass(10);
    site.releases(&released, 0, first);
    site.renews(&renewed, 0, second);
    site.pass(30);
    site.hears(&mut talk, usize::MAX);
    site.finish(talk);
    assert_eq!(site.kernel.ours(), [(second, renewed.way())]);
    site.pass(u64::from(VALID_SECS) - 30);
    assert_eq!(site.kernel.ours(), [], "neither sooner nor later than the Reply says");
}

// PDR-12, PDR-14: nobody has told yet whose it was.
#[test]
fn a_route_of_before_goes_when_the_one_it_leads_to_gives_the_prefix_back() {
    let mut site = Site::new(2);
    let (customer, neighbour) = (Customer::new(1, 1), Customer::new(2, 1));
    let prefix = site.delegated(&customer, 0);
    site.restart();
    site.releases(&neighbour, 0, prefix);
    assert_eq!(site.kernel.ours(), [(prefix, customer.way())], "it does not lead to the neighbour");
    site.releases(&customer, 0, prefix);
    assert_eq!(site.kernel.ours(), []);
}

// PDR-12: and whoever is given the prefix afterwards is believed.
#[test]
fn what_is_released_and_delegated_again_during_recovery_is_held() {
    let mut site = Site::new(1);
    let (first, second) = (Customer::new(1, 1), Customer::new(2, 1));
    let prefix = site.delegated(&first, 0);
    site.pass(50);
    site.restart();
    let mut talk = site.ask(0).expect("it is asked");
    site.answers(&mut talk);
    site.releases(&first, 0, prefix);
    site.pass(5);
    let request = site.message(MessageType::Request, &second, 0, &[(1, &[prefix])]);
    site.says(&second, &request);
    site.hears(&mut talk, usize::MAX);
    site.finish(talk);
    assert!(site.held().contains(&(prefix, second.duid.clone())));
    assert!(site.kernel.ours().contains(&(prefix, second.way())));
}

// PDR-33: the numbers are dealt anew, and the first port has the number of the second.
#[test]
fn where_numbers_change_the_interface_id_decides() {
    let mut site = Site::new(1);
    let customers = [Customer::new(1, 1), Customer::new(2, 2)];
    let prefixes = [0, 1].map(|n| site.delegated(&customers[n], 0));
    let (one, two) = (site.index_of(1), site.index_of(2));
    (site.ports[0].index, site.ports[1].index) = (two, one);
    site.kernel.routes.clear();
    site.restart();
    site.recover();
    let via = |n: usize, interface_index| {
        (prefixes[n], Target::Via { next_hop: customers[n].source, interface_index })
    };
    assert_eq!(site.kernel.ours(), sorted(vec![via(0, two), via(1, one)]));
}

// PDR-25, PDR-33: in the middle of it, too.
#[test]
fn routes_follow_a_port_that_goes_and_comes_under_another_number() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 1);
    let prefix = site.delegated(&customer, 0);
    let before = site.ports.remove(0);
    site.kernel.down(before.index, &mut site.agent);
    site.set_ports();
    site.settle();
    assert_eq!(site.kernel.ours(), []);
    assert_eq!(site.held().len(), 1, "the lease is not over");
    site.ports.insert(0, relay::Port { index: 77, ..before });
    site.kernel.up.insert(77);
    site.set_ports();
    site.settle();
    let way = Target::Via { next_hop: customer.source, interface_index: 77 };
    assert_eq!(site.kernel.ours(), [(prefix, way)], "without a word from anybody");
}

// PDR-25
#[test]
fn a_link_that_goes_down_and_up_costs_no_exchange() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 1);
    let prefix = site.delegated(&customer, 0);
    let index = site.index_of(1);
    site.kernel.down(index, &mut site.agent);
    site.settle();
    assert_eq!(site.kernel.ours(), []);
    assert_eq!(site.agent.routes().find(prefix).map(|route| route.state), Some(RouteState::NoWay));
    site.kernel.up(index, &mut site.agent);
    site.settle();
    assert_eq!(site.kernel.ours(), [(prefix, customer.way())]);
}

// PDR-24, PDR-33: it comes after everything was recovered.
#[test]
fn what_was_recovered_for_a_port_that_is_not_there_yet_waits_for_it() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 2);
    let prefix = site.delegated(&customer, 0);
    let late = site.ports.pop().expect("two ports");
    site.kernel.routes.clear();
    site.restart();
    site.recover();
    assert_eq!(site.kernel.ours(), []);
    site.ports.push(late);
    site.set_ports();
    site.settle();
    assert_eq!(site.kernel.ours(), [(prefix, customer.way())]);
}

// PDR-14, PDR-29: an operator has a lease deleted, and the relay look again.
#[test]
fn a_refresh_finds_what_servers_have_forgotten() {
    let mut site = Site::new(2);
    let (stays, goes) = (Customer::new(1, 1), Customer::new(2, 1));
    let kept = site.delegated(&stays, 0);
    site.delegated(&goes, 1);
    site.recover();
    site.servers[1].forget_all();
    assert_eq!(site.kernel.ours().len(), 2);
    site.servers[1].is_up = false;
    site.refresh();
    assert_eq!(site.kernel.ours().len(), 2, "one server has not said anything");
    site.servers[1].is_up = true;
    site.refresh();
    assert_eq!(site.kernel.ours(), [(kept, stays.way())]);
}

// PDR-05, PDR-33
#[test]
fn one_duid_on_two_ports_has_both_again() {
    let mut site = Site::new(1);
    let (here, there) = (Customer::new(1, 1), Customer { link: 2, ..Customer::new(1, 1) });
    let first = site.delegated(&here, 0);
    let second = site.delegated(&there, 0);
    let both = sorted(vec![(first, here.way()), (second, there.way())]);
    assert_eq!(site.kernel.ours(), both);
    site.kernel.routes.clear();
    site.restart();
    site.recover();
    assert_eq!(site.kernel.ours(), both);
    site.releases(&here, 0, first);
    assert_eq!(site.kernel.ours(), [(second, there.way())], "neither disturbs the other");
}

// PDR-33: another relay's customers are none of ours, and what stands in a strange place stays.
#[test]
fn strangers_are_left_alone() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 1);
    let prefix_of_ours = site.delegated(&customer, 0);
    let strange = prefix("3fff:0:4:ff00::/56");
    site.kernel.routes.insert(strange, Owner::Stranger);
    site.kernel.routes.insert(prefix_of_ours, Owner::Stranger);
    site.restart();
    site.recover();
    assert_eq!(site.kernel.ours(), []);
    assert_eq!(site.agent.routes().find(prefix_of_ours).map(|route| route.state), Some(RouteState::Conflict));
    assert_eq!(site.kernel.routes.get(&strange), Some(&Owner::Stranger));
    assert_eq!(site.kernel.routes.get(&prefix_of_ours), Some(&Owner::Stranger));
}

// PDR-33: the server knows the customer through another relay, whose port has our port's name.
#[test]
fn a_customer_of_another_relay_is_not_ours() {
    let mut site = Site::new(1);
    let other_relay = wire::Duid::new(&[0, 3, 0, 1, 9]).expect("five octets");
    let ours = site.setup.clone();
    let mut theirs = ours.clone();
    theirs.terms.relay_id = Some(other_relay);
    site.setup = theirs;
    site.restart();
    site.delegated(&Customer::new(1, 1), 0);
    site.kernel.routes.clear();
    site.setup = ours;
    site.setup.recovery.methods = vec![relay::recovery::Method::LinkAddress];
    site.ports = vec![port(3), port(2)];
    site.ports[0].interface_id = b"ge-0/0/1"[..].into();
    site.restart();
    site.recover();
    assert_eq!((site.held(), site.kernel.ours()), (Vec::new(), Vec::new()));
}

// PDR-33: the servers are done before the kernel has told which routes there are.
#[test]
fn what_cannot_be_placed_keeps_its_route_however_late_the_kernel_tells_of_it() {
    let mut site = Site::with(1, |setup| {
        setup.terms.relay_id = None;
        setup.recovery.methods = vec![relay::recovery::Method::LinkAddress];
    });
    let (stays, goes) = (Customer::new(1, 1), Customer::new(2, 1));
    let kept = site.delegated(&stays, 0);
    let released = site.delegated(&goes, 0);
    site.releases_unheard(&goes, 0, 1, released);
    site.ports[0].interface_id = b"renamed"[..].into();
    site.kernel.is_mute = true;
    site.restart();
    site.recover();
    assert_eq!(site.agent.recovery().unplaced().map(|unplaced| unplaced.prefix).collect::<Vec<_>>(), [kept]);
    assert_eq!(site.kernel.ours().len(), 2);
    site.kernel.is_mute = false;
    site.pass(10);
    assert_eq!(site.kernel.ours(), [(kept, stays.way())]);
    assert_eq!(site.agent.routes().find(kept).map(|route| route.state), Some(RouteState::Unproven));
}

// PDR-11: what servers are not asked about is not over because they do not speak of it.
#[test]
fn what_lies_outside_the_territory_ends_when_it_has_run_out() {
    let territory = relay::recovery::Territory { prefixes: vec![pool(0, 1)], addresses: None };
    let mut site = Site::with(1, |setup| setup.recovery.territory = territory);
    let customer = Customer::new(1, 2);
    let prefix = site.delegated(&customer, 0);
    site.recover();
    site.refresh();
    assert_eq!(site.kernel.ours(), [(prefix, customer.way())]);
    site.pass(u64::from(VALID_SECS));
    assert_eq!(site.kernel.ours(), []);
}

// PDR-13: without routes, all is known the same.
#[test]
fn a_relay_without_routes_knows_what_it_would_have_routes_for() {
    let mut site = Site::with(1, |setup| setup.routes = None);
    let customer = Customer::new(1, 1);
    let prefix = site.delegated(&customer, 0);
    site.restart();
    site.recover();
    assert_eq!(site.held(), [(prefix, customer.duid.clone())]);
    assert_eq!(site.agent.routes().after(None).count(), 0);
    assert!(site.agent.deadline().is_some(), "what is held is let go in time");
    site.pass(u64::from(VALID_SECS));
    assert_eq!(site.held(), []);
}

fn sorted(mut routes: Vec<(Prefix, Target)>) -> Vec<(Prefix, Target)> {
    routes.sort();
    routes
}
