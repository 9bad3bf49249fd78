//! What somebody who means ill can send, from where clients are and from elsewhere.

use std::collections::BTreeSet;

use relay::{Discard, Note, PortRules, Verdict};
use requestor::Lifetime;
use wire::{Duid, INFINITE, MessageType, OptionCode, Prefix};

use super::site::{Customer, Site, UPSTREAM, usual_index};
use crate::exchanges::{ia_pd, message};
use crate::kit::{address, relay_message};

fn prefix(text: &str) -> Prefix {
    text.parse().expect("a prefix")
}

/// A Relay-reply that grants a customer leases on the port of its link.
fn granting(customer: &Customer, leases: &[(Prefix, u32, u32)]) -> Vec<u8> {
    let reply = message(MessageType::Reply, &customer.duid, |w| ia_pd(w, 1, leases));
    relay_reply(customer, &reply)
}

fn relay_reply(customer: &Customer, inside: &[u8]) -> Vec<u8> {
    let interface_id = format!("ge-0/0/{}", customer.link);
    let options = [(OptionCode::INTERFACE_ID, interface_id.as_bytes()), (OptionCode::RELAY_MSG, inside)];
    relay_message(MessageType::RelayReply, 0, "::", customer.source, &options)
}

/// The relay hears this from a server.
fn hear(site: &mut Site, octets: &[u8]) -> Result<(), Discard> {
    let heard = site.arrives_upstream(address("2001:db8::547"), octets).map(|_| ());
    site.settle();
    heard
}

// REL-10, REL-28: nor from an interface that has just come, and that nobody has looked at yet.
#[test]
fn a_customer_cannot_play_the_server() {
    let mut site = Site::new(1);
    site.agent.set_upstream(BTreeSet::from([UPSTREAM]));
    let (victim, thief) = (Customer::new(1, 1), Customer::new(2, 2));
    let prefix = site.delegated(&victim, 0);
    let reply = granting(&thief, &[(prefix, 300, 600)]);
    let by =
        |site: &mut Site, index| site.arrives_by(index, thief.source, &reply).expect_err("it is refused");
    assert_eq!(by(&mut site, usual_index(2)), Discard::RelayReplyFromClient);
    assert_eq!(by(&mut site, 99), Discard::NotServed);
    site.settle();
    assert_eq!(site.kernel.ours(), [(prefix, victim.way())]);
    hear(&mut site, &reply).expect("it comes from upstream");
    assert_eq!(site.kernel.ours(), [(prefix, thief.way())], "and there it would be believed");
}

// PDR-05, PDR-12
#[test]
fn nobody_gives_back_what_is_held_elsewhere() {
    let mut site = Site::new(1);
    let victim = Customer::new(1, 1);
    let prefix = site.delegated(&victim, 0);
    let elsewhere = Customer { link: 2, ..Customer::new(1, 1) };
    let other = Customer::new(2, 1);
    for thief in [&elsewhere, &other] {
        let release = message(MessageType::Release, &thief.duid, |w| ia_pd(w, 1, &[(prefix, 0, 0)]));
        let options = [(OptionCode::INTERFACE_ID, &b"ge-0/0/1"[..]), (OptionCode::RELAY_MSG, &release[..])];
        let wrapped = relay_message(MessageType::RelayForward, 0, "2001:db8:1::1", victim.source, &options);
        for octets in [release, wrapped] {
            site.arrives(thief.link, thief.source, &octets).expect("it is forwarded");
            site.settle();
            assert_eq!(site.kernel.ours(), [(prefix, victim.way())]);
        }
    }
}

// PDR-33, REL-30: nobody writes our hop but us.
#[test]
fn a_customer_cannot_play_this_relay() {
    let mut site = Site::new(1);
    let own = site.setup.recovery.relay_id.clone();
    let solicit = message(MessageType::Solicit, &Duid::new(&[0, 3, 0, 1, 9]).expect("a DUID"), |_| {});
    let options = [
        (OptionCode::INTERFACE_ID, &b"ge-0/0/1"[..]),
        (OptionCode::RELAY_ID, own.octets()),
        (OptionCode::RELAY_MSG, &solicit[..]),
    ];
    let mut wrapped = relay_message(MessageType::RelayForward, 0, "::", address("fe80::9"), &options);
    for _ in 0..3 {
        let refused = site.arrives(2, address("fe80::9"), &wrapped);
        assert_eq!(refused, Err(Discard::OwnRelayId));
        let around = [(OptionCode::RELAY_MSG, &wrapped[..])];
        wrapped = relay_message(MessageType::RelayForward, 1, "::", address("fe80::9"), &around);
    }
}

// REL-26: it would come back to us once for each level.
#[test]
fn a_relay_reply_for_ourselves_goes_nowhere() {
    let mut site = Site::new(1);
    let inner = granting(&Customer::new(1, 1), &[]);
    for own in ["2001:db8:1::1", "2001:db8:2::1", "::1"] {
        let us = Customer { source: address(own), ..Customer::new(1, 1) };
        assert_eq!(hear(&mut site, &relay_reply(&us, &inner)), Err(Discard::Malformed), "{own}");
    }
    let group = Customer { source: address("ff02::1:2"), ..Customer::new(1, 1) };
    assert_eq!(hear(&mut site, &granting(&group, &[])), Err(Discard::Malformed));
}

// PDR-06, PDR-07, PDR-31: as many leases as a datagram holds.
#[test]
fn an_enormous_reply_fills_no_more_than_a_client_may_have() {
    let mut site = Site::new(0);
    let customer = Customer::new(1, 1);
    let leases: Vec<_> = (0..2_200).map(lease).collect();
    hear(&mut site, &granting(&customer, &leases)).expect("it is delivered");
    assert_eq!(site.kernel.ours().len(), PortRules::default().max_delegations_per_client);
    site.pass(20);
    assert_eq!(site.kernel.ours(), []);
}

// PDR-09, PDR-31: a customer with one prefix too many renews all day.
#[test]
fn nobody_fills_the_log_by_renewing() {
    let mut site = Site::new(0);
    let customer = Customer::new(1, 1);
    hear(&mut site, &granting(&customer, &(0..8).map(lease).collect::<Vec<_>>())).expect("it is delivered");
    site.agent.take_notes();
    let too_many = granting(&customer, &[lease(9)]);
    let mut notes = Vec::new();
    for _ in 0..5_000 {
        hear(&mut site, &too_many).expect("it is delivered");
        notes.extend(site.agent.take_notes());
    }
    assert!((1..=1_000).contains(&notes.len()), "{}", notes.len());
    let is_refusal =
        |note: &Note| matches!(note, Note::Delegation { verdict: Verdict::TooManyForClient, .. });
    assert!(notes.iter().all(is_refusal));
    site.pass(1);
    hear(&mut site, &too_many).expect("it is delivered");
    assert_eq!(site.agent.take_notes().len(), 1);
}

/// One of many, for 20 seconds.
fn lease(number: u128) -> (Prefix, u32, u32) {
    let address = (0x3fff_u128 << 112) | (number << 72);
    (Prefix::new(address.into(), 56).expect("56 bits"), 10, 20)
}

// PDR-10, PDR-11: lifetimes as long and as short as they come.
#[test]
fn lifetimes_may_be_extreme() {
    let mut site = Site::new(0);
    let customer = Customer::new(1, 1);
    let [forever, long, mad] = ["3fff:1::/56", "3fff:2::/56", "3fff:3::/56"].map(prefix);
    let leases = [(forever, INFINITE, INFINITE), (long, 0, INFINITE - 1), (mad, INFINITE, 600)];
    hear(&mut site, &granting(&customer, &leases)).expect("it is delivered");
    let held = |site: &Site, prefix| site.agent.delegations().get(prefix).map(|held| held.valid);
    assert_eq!(held(&site, forever), Some(Lifetime::Forever));
    assert_eq!(held(&site, mad), None, "preferred for longer than it is valid: no client takes it");
    assert!(matches!(held(&site, long), Some(Lifetime::Until(_))));
    hear(&mut site, &granting(&customer, &[(forever, 0, 0), (long, 0, 1)])).expect("it is delivered");
    assert_eq!(site.kernel.ours(), [(long, customer.way())]);
    site.pass(1);
    assert_eq!(site.kernel.ours(), []);
}

// PDR-13: a server that is out of its mind.
#[test]
fn nothing_but_unicast_is_routed_to_a_customer() {
    let mut site = Site::new(0);
    let customer = Customer::new(1, 1);
    let odd = ["::/0", "::/1", "::1/128", "::ffff:0:0/96", "fe80::/10", "fe80::/64", "ff00::/8", "8000::/1"];
    let leases = odd.map(|text| (prefix(text), 300, 600));
    hear(&mut site, &granting(&customer, &leases)).expect("it is delivered");
    assert_eq!((site.held(), site.kernel.ours()), (Vec::new(), Vec::new()));
}

// REL-15, REL-16: what is too long to be forwarded changes nothing either.
#[test]
fn a_release_that_cannot_be_forwarded_ends_nothing() {
    let mut site = Site::new(1);
    let customer = Customer::new(1, 1);
    let prefix = site.delegated(&customer, 0);
    let mut release = site.message(MessageType::Release, &customer, 0, &[(1, &[prefix])]);
    let filler = relay::limits::MAX_DATAGRAM_OCTETS - release.len() - 4;
    release.extend([0xff, 0xfe]);
    release.extend(u16::try_from(filler).expect("less than 64 KiB").to_be_bytes());
    release.resize(relay::limits::MAX_DATAGRAM_OCTETS, 0);
    assert_eq!(site.arrives(1, customer.source, &release).map(drop), Err(Discard::TooLong));
    site.settle();
    assert_eq!(site.kernel.ours(), [(prefix, customer.way())]);
}
