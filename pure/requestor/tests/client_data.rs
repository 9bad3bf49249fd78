//! What servers put into CLIENT_DATA, and what is made of it.

mod common;

use common::*;
use requestor::{Lifetime, Outcome, Resource, Warning, limits};
use wire::limits::MAX_RELAY_DEPTH;
use wire::{INFINITE, OptionCode, Prefix, Writer};

/// One reply with these options, then DONE: always a complete answer.
fn told(options: impl FnOnce(&mut Writer<'_>)) -> Talk {
    let (mut talk, id) = Talk::asked();
    talk.hear(&reply(id, options)).hear(&done(id));
    assert_eq!(talk.outcomes(), [&Outcome::Done]);
    talk
}

fn only_warning(talk: &Talk, warning: Warning) {
    assert_eq!(talk.connection.warnings().iter().collect::<Vec<_>>(), [(warning, 1)]);
}

/// LQ_RELAY_DATA of V3, header included.
fn relay_data() -> Vec<u8> {
    let octets = hex(V3);
    let at = octets.windows(4).position(|window| window == [0, 47, 0, 0x5a]).unwrap();
    octets[at..].to_vec()
}

// LQ-R-16
#[test]
fn a_client_without_clt_time_is_discarded() {
    let talk = told(|w| {
        w.option(OptionCode::CLIENT_DATA, |w| {
            w.raw_option(OptionCode::CLIENTID, client(1).octets());
            w.ia_address(address(1), 10, 20);
        });
    });
    assert_eq!(talk.leases(), 0);
    only_warning(&talk, Warning::WithoutCltTime);
}

// INT-06
#[test]
fn a_preferred_lifetime_above_the_valid_one_is_0() {
    let talk = told(|w| client_data(w, 1, 5, |w| w.ia_address(address(1), 3000, 500)));
    let lease = talk.clients()[0].leases[0];
    assert_eq!((lease.preferred.left_secs(at(0)), lease.valid.left_secs(at(0))), (0, 500));
    only_warning(&talk, Warning::PreferredOverValid);
    let talk = told(|w| client_data(w, 1, 5, |w| w.ia_address(address(1), 500, 500)));
    assert_eq!(talk.clients()[0].leases[0].preferred.left_secs(at(0)), 500);
    assert_eq!(talk.connection.warnings().iter().count(), 0);
}

// INT-07
#[test]
fn leases_without_time_left_are_ignored() {
    let talk = told(|w| {
        client_data(w, 1, 5, |w| {
            w.ia_address(address(1), 0, 0);
            w.ia_address(address(2), 10, 20);
        });
    });
    assert_eq!(talk.clients()[0].leases[0].resource, Resource::Address(address(2)));
    assert_eq!((talk.leases(), talk.connection.counters().bindings), (1, 1));
    only_warning(&talk, Warning::ExpiredLease);
    let talk = told(|w| client_data(w, 1, 5, |w| w.ia_address(address(1), 0, 0)));
    assert!(talk.clients().is_empty());
}

// INT-12
#[test]
fn a_clt_time_that_is_a_date_is_of_unknown_age() {
    let talk = told(|w| client_data(w, 1, 1_700_000_000, |w| w.ia_address(address(1), 10, 20)));
    assert_eq!((talk.clients()[0].last_heard_secs, talk.leases()), (None, 1));
    only_warning(&talk, Warning::AbsoluteCltTime);
    let heard = |clt_time: u32| {
        let talk = told(|w| client_data(w, 1, clt_time, |w| w.ia_address(address(1), 10, 20)));
        talk.clients()[0].last_heard_secs
    };
    let first = limits::FIRST_ABSOLUTE_CLT;
    assert_eq!((heard(first - 1), heard(first)), (Some(first - 1), None));
}

// INT-04, INT-05
#[test]
fn relay_data_are_taken_from_inside_and_from_beside() {
    let relay_data = relay_data();
    let inside = told(|w| {
        client_data(w, 1, 5, |w| {
            w.ia_address(address(1), 10, 20);
            w.bytes(&relay_data);
        });
    });
    let beside = told(|w| {
        client_data(w, 1, 5, |w| w.ia_address(address(1), 10, 20));
        w.bytes(&relay_data);
    });
    assert_eq!(inside.clients(), beside.clients());
    assert!(inside.clients()[0].relay.is_some());
    assert_eq!(inside.connection.warnings().count(Warning::RelayDataBeside), 0);
    assert_eq!(beside.connection.warnings().count(Warning::RelayDataBeside), 1);
}

// INT-05
#[test]
fn the_innermost_relay_counts_whatever_the_outer_address_says() {
    let mut relay_data = relay_data();
    relay_data[4..20].fill(0xff);
    let talk = told(|w| {
        client_data(w, 1, 5, |w| {
            w.ia_address(address(1), 10, 20);
            w.bytes(&relay_data);
        });
    });
    let hop = talk.clients()[0].relay.as_ref().unwrap().innermost().clone();
    assert_eq!(hop.peer_address.to_string(), "fe80::200:ff:fe00:102");
}

#[test]
fn wrong_lengths_in_relay_data_cost_the_path_and_not_the_lease() {
    let whole = relay_data();
    for cut in [20, 40, 60, 81] {
        let talk = told(|w| {
            client_data(w, 1, 5, |w| {
                w.ia_address(address(1), 10, 20);
                w.raw_option(OptionCode::LQ_RELAY_DATA, &whole[4..cut]);
            });
        });
        assert_eq!((talk.leases(), &talk.clients()[0].relay), (1, &None), "{cut}");
        only_warning(&talk, Warning::UnreadableRelayData);
    }
}

#[test]
fn as_many_relays_as_there_may_be_and_one_more() {
    let relays = |count: usize| {
        let mut level = [&[12][..], &[0; 33]].concat();
        for _ in 1..count {
            let length = u16::try_from(level.len()).unwrap().to_be_bytes();
            level = [&[12][..], &[0; 33], &[0, 9], &length, &level].concat();
        }
        told(|w| {
            client_data(w, 1, 5, |w| {
                w.ia_address(address(1), 10, 20);
                w.raw_option(OptionCode::LQ_RELAY_DATA, &[&[0; 16], &level[..]].concat());
            });
        })
    };
    let most = relays(MAX_RELAY_DEPTH);
    assert_eq!(most.clients()[0].relay.as_ref().unwrap().hops().len(), MAX_RELAY_DEPTH);
    let too_many = relays(MAX_RELAY_DEPTH + 1);
    assert_eq!(too_many.clients()[0].relay, None);
    assert_eq!(too_many.connection.warnings().count(Warning::UnreadableRelayData), 1);
}

#[test]
fn the_whole_chain_is_kept_outermost_first() {
    let v22 = hex("002f0080 20010db8 fffe0000 00000000 00000009 0c010000 00000000 00000000
        00000000 00002001 0db80001 00000000 00000000 00010009 004a0c00 20010db8
        00010000 00000000 00000001 fe800000 00000000 020000ff fe000102 00120008
        67652d30 2f302f37 0025000a 00007ed9 706f7274 2d370035 000a0003 00010200 0000aa01");
    let talk = told(|w| {
        client_data(w, 1, 5, |w| {
            w.ia_address(address(1), 10, 20);
            w.bytes(&v22);
        });
    });
    let relay_path = talk.clients()[0].relay.clone().unwrap();
    let [outer, inner] = relay_path.hops() else { panic!("{relay_path:?}") };
    assert_eq!((outer.peer_address, inner.link_address), (address(1), address(1)));
    assert_eq!(inner.relay_id, Some(relay()));
}

#[test]
fn bad_leases_and_bad_clients_cost_only_themselves() {
    let talk = told(|w| {
        client_data(w, 1, 5, |w| {
            w.raw_option(OptionCode::IAPREFIX, &[0; 24]);
            w.ia_prefix(Prefix::new(address(0), 56).unwrap(), INFINITE, INFINITE, |_| ());
        });
    });
    assert_eq!(talk.clients()[0].leases.len(), 1);
    assert_eq!(talk.clients()[0].leases[0].valid, Lifetime::Forever);
    only_warning(&talk, Warning::MalformedLease);
    let no_client = told(|w| w.raw_option(OptionCode::CLIENT_DATA, &[0, 1, 0, 1, 9]));
    only_warning(&no_client, Warning::MalformedClient);
    let no_options = told(|w| w.raw_option(OptionCode::CLIENT_DATA, &[0, 1, 0]));
    only_warning(&no_options, Warning::MalformedClient);
    only_warning(&told(|w| client_data(w, 1, 5, |_| ())), Warning::WithoutLeases);
}

#[test]
fn several_clients_in_one_message_are_all_told() {
    let talk = told(|w| {
        client_data(w, 1, 5, |w| w.ia_address(address(1), 10, 20));
        client_data(w, 2, 5, |w| w.ia_address(address(2), 10, 20));
    });
    assert_eq!(talk.clients().len(), 2);
    only_warning(&talk, Warning::SeveralClients);
}

#[test]
fn a_message_as_large_as_a_frame_can_be() {
    let talk = told(|w| client_data(w, 1, 5, |w| (0..2_300).for_each(|n| w.ia_address(address(n), 10, 20))));
    assert_eq!(talk.leases(), 2_300);
}
