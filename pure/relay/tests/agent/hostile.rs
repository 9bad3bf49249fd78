//! What somebody who means ill can send, from where clients are and from elsewhere.

use std::collections::BTreeSet;

use relay::Discard;
use wire::{MessageType, OptionCode};

use super::site::{Customer, Site, UPSTREAM, usual_index};
use crate::exchanges::{ia_pd, message};
use crate::kit::{address, relay_message};

/// A Relay-reply that grants a customer a prefix on the port of its link.
fn forged(customer: &Customer, prefix: &str) -> Vec<u8> {
    let prefix = prefix.parse().expect("a prefix");
    let reply = message(MessageType::Reply, &customer.duid, |w| ia_pd(w, 1, &[(prefix, 300, 600)]));
    let interface_id = format!("ge-0/0/{}", customer.link);
    let options = [(OptionCode::INTERFACE_ID, interface_id.as_bytes()), (OptionCode::RELAY_MSG, &reply[..])];
    relay_message(MessageType::RelayReply, 0, "::", customer.source, &options)
}

// REL-10, REL-28: nor from an interface that has just come, and that nobody has looked at yet.
#[test]
fn a_customer_cannot_play_the_server() {
    let mut site = Site::new(1);
    site.agent.set_upstream(BTreeSet::from([UPSTREAM]));
    let (victim, thief) = (Customer::new(1, 1), Customer::new(2, 2));
    let prefix = site.delegated(&victim, 0);
    let reply = forged(&thief, &prefix.to_string());
    let by =
        |site: &mut Site, index| site.arrives_by(index, thief.source, &reply).expect_err("it is refused");
    assert_eq!(by(&mut site, usual_index(2)), Discard::RelayReplyFromClient);
    assert_eq!(by(&mut site, 99), Discard::NotServed);
    site.settle();
    assert_eq!(site.kernel.ours(), [(prefix, victim.way())]);
    assert_eq!(
        site.arrives_upstream(address("2001:db8::547"), &reply).map(|delivery| delivery.to),
        Ok(thief.source)
    );
}
