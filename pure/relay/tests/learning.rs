//! What passes teaches what it says, and nothing else.

use relay::learn::{self, GrantedLease};
use wire::{IaKind, Iaid, MessageType, OptionCode, PrefixExclude, StatusCode};

use crate::exchanges::{duid, ia, ia_pd, message, prefix, server, wrapped};

fn leases(octets: &[u8]) -> Vec<GrantedLease> {
    learn::reply(octets).expect("it grants").leases().collect()
}

fn lease(kind: IaKind, iaid: u32, text: &str, preferred_secs: u32, valid_secs: u32) -> GrantedLease {
    GrantedLease { kind, iaid: Iaid(iaid), prefix: prefix(text), preferred_secs, valid_secs, excluded: None }
}

// PDR-03, PDR-04
#[test]
fn a_reply_tells_every_lease_of_every_association() {
    let octets = message(MessageType::Reply, &duid(1), |w| {
        ia_pd(w, 1, &[(prefix("2001:db8:100::/56"), 100, 300), (prefix("2001:db8:200::/60"), 100, 600)]);
        ia(w, IaKind::Address, 2, &[(prefix("2001:db8::5/128"), 50, 90)]);
        ia_pd(w, 3, &[(prefix("2001:db8:300::/56"), 0, 0)]);
    });
    let granted = learn::reply(&octets).expect("it grants");
    assert_eq!((granted.client, granted.server), (duid(1).as_ref(), server().as_ref()));
    let expected = [
        lease(IaKind::Prefix, 1, "2001:db8:100::/56", 100, 300),
        lease(IaKind::Prefix, 1, "2001:db8:200::/60", 100, 600),
        lease(IaKind::Address, 2, "2001:db8::5/128", 50, 90),
        lease(IaKind::Prefix, 3, "2001:db8:300::/56", 0, 0),
    ];
    assert_eq!(leases(&octets), expected);
    let nested = wrapped(MessageType::RelayReply, &wrapped(MessageType::RelayReply, &octets));
    assert_eq!(leases(&nested), expected);
}

#[test]
fn host_bits_are_masked_away() {
    let octets = message(MessageType::Reply, &duid(1), |w| {
        w.ia_pd(Iaid(1), 0, 0, |w| {
            w.option(OptionCode::IAPREFIX, |w| {
                w.u32(1);
                w.u32(2);
                w.u8(56);
                w.address("2001:db8::ff".parse().expect("an address"));
            });
        });
    });
    assert_eq!(leases(&octets), [lease(IaKind::Prefix, 1, "2001:db8::/56", 1, 2)]);
}

// PDR-35
#[test]
fn an_excluded_prefix_is_noted_beside_the_delegated_one() {
    let (delegated, excluded) = (prefix("2001:db8:100::/56"), prefix("2001:db8:100:ff::/64"));
    let octets = message(MessageType::Reply, &duid(1), |w| {
        w.ia_pd(Iaid(1), 0, 0, |w| {
            w.ia_prefix(delegated, 10, 20, |w| {
                let data = PrefixExclude::data(excluded, delegated).expect("it lies inside");
                w.raw_option(OptionCode::PD_EXCLUDE, &data);
            });
        });
    });
    let only = leases(&octets);
    assert_eq!(only.len(), 1, "the excluded prefix is no lease");
    assert_eq!((only[0].prefix, only[0].excluded), (delegated, Some(excluded)));
}

#[test]
fn an_exclusion_that_is_none_changes_nothing() {
    for data in [&[][..], &[255, 1, 2, 3], &[255; 33], &[40, 1], &[64]] {
        let octets = message(MessageType::Reply, &duid(1), |w| {
            w.ia_pd(Iaid(1), 0, 0, |w| {
                w.ia_prefix(prefix("2001:db8:100::/56"), 10, 20, |w| {
                    w.raw_option(OptionCode::PD_EXCLUDE, data);
                });
            });
        });
        assert_eq!(leases(&octets), [lease(IaKind::Prefix, 1, "2001:db8:100::/56", 10, 20)], "{data:?}");
    }
}

#[test]
fn errors_and_malformed_parts_cost_themselves_only() {
    let good = (prefix("2001:db8:900::/56"), 10, 20);
    let octets = message(MessageType::Reply, &duid(1), |w| {
        w.ia_pd(Iaid(1), 0, 0, |w| {
            w.ia_prefix(prefix("2001:db8:100::/56"), 10, 20, |_| {});
            w.status(StatusCode::NO_BINDING, "");
        });
        w.ia_pd(Iaid(2), 0, 0, |w| {
            w.ia_prefix(prefix("2001:db8:200::/56"), 10, 20, |w| w.status(StatusCode::NOT_ON_LINK, ""));
            w.ia_prefix(prefix("2001:db8:300::/56"), 21, 20, |_| {});
            w.raw_option(OptionCode::IAPREFIX, &[0; 24]);
            w.raw_option(OptionCode::IAPREFIX, &[129; 25]);
            w.ia_prefix(good.0, good.1, good.2, |w| w.status(StatusCode::SUCCESS, "fine"));
        });
        w.raw_option(OptionCode::IA_PD, &[0; 11]);
        ia_pd(w, 3, &[(prefix("2001:db8:a00::/56"), 10, 20)]);
    });
    assert_eq!(
        leases(&octets),
        [
            lease(IaKind::Prefix, 2, "2001:db8:900::/56", 10, 20),
            lease(IaKind::Prefix, 3, "2001:db8:a00::/56", 10, 20),
        ]
    );
}

#[test]
fn only_replies_teach_and_only_those_that_a_client_takes() {
    let grants = |w: &mut wire::Writer<'_>| ia_pd(w, 1, &[(prefix("2001:db8:100::/56"), 10, 20)]);
    for message_type in MessageType::ALL {
        let octets = match message_type {
            MessageType::RelayForward | MessageType::RelayReply => {
                wrapped(*message_type, &message(MessageType::Advertise, &duid(1), grants))
            }
            other => message(*other, &duid(1), grants),
        };
        assert_eq!(learn::reply(&octets).is_some(), *message_type == MessageType::Reply, "{message_type}");
        let gives_back = matches!(message_type, MessageType::Release | MessageType::Decline);
        assert_eq!(learn::released(&octets).is_some(), gives_back, "{message_type}");
    }
    let reply = message(MessageType::Reply, &duid(1), grants);
    assert!(learn::reply(&wrapped(MessageType::RelayForward, &reply)).is_none());
    let failed = message(MessageType::Reply, &duid(1), |w| {
        w.status(StatusCode::NOT_ON_LINK, "");
        grants(w);
    });
    assert!(learn::reply(&failed).is_none());
    let twice = message(MessageType::Reply, &duid(1), |w| {
        w.raw_option(OptionCode::CLIENTID, duid(2).octets());
        grants(w);
    });
    assert!(learn::reply(&twice).is_none());
}

// PDR-12
#[test]
fn a_release_names_associations_and_leases() {
    let octets = message(MessageType::Release, &duid(1), |w| {
        ia_pd(w, 1, &[(prefix("2001:db8:100::/56"), 0, 0)]);
        ia(w, IaKind::Address, 2, &[(prefix("2001:db8::5/128"), 0, 0)]);
    });
    let nested = wrapped(MessageType::RelayForward, &octets);
    for octets in [octets, nested] {
        let released = learn::released(&octets).expect("a Release");
        assert_eq!(released.client, duid(1).as_ref());
        let said: Vec<_> =
            released.associations().map(|ia| (ia.kind, ia.iaid.0, ia.whole, ia.named().collect())).collect();
        assert_eq!(
            said,
            [
                (IaKind::Prefix, 1, true, vec![prefix("2001:db8:100::/56")]),
                (IaKind::Address, 2, false, vec![prefix("2001:db8::5/128")]),
            ]
        );
    }
}

#[test]
fn only_addresses_are_declined() {
    let octets = message(MessageType::Decline, &duid(1), |w| {
        ia_pd(w, 1, &[(prefix("2001:db8:100::/56"), 0, 0)]);
        ia(w, IaKind::Address, 2, &[(prefix("2001:db8::5/128"), 0, 0)]);
    });
    let declined = learn::released(&octets).expect("a Decline");
    let said: Vec<_> = declined.associations().map(|ia| (ia.kind, ia.whole)).collect();
    assert_eq!(said, [(IaKind::Address, false)]);
}

#[test]
fn wrapped_deeper_than_relays_may_be_is_not_read() {
    let mut octets = message(MessageType::Reply, &duid(1), |_| {});
    for depth in 0..20 {
        assert_eq!(learn::reply(&octets).is_some(), depth <= wire::limits::MAX_RELAY_FORWARDS, "{depth}");
        octets = wrapped(MessageType::RelayReply, &octets);
    }
}

proptest::proptest! {
    #[test]
    fn no_octets_whatever_are_a_trouble(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        for first in [7_u8, 8, 9, 12, 13] {
            let octets = [&[first][..], &octets].concat();
            if let Some(granted) = learn::reply(&octets) {
                granted.leases().for_each(drop);
            }
            if let Some(released) = learn::released(&octets) {
                released.associations().for_each(|association| association.named().for_each(drop));
            }
        }
    }

    #[test]
    fn a_reply_cut_or_changed_anywhere_is_no_trouble(at in 0_usize..150, octet in proptest::num::u8::ANY) {
        let mut octets = message(MessageType::Reply, &duid(1), |w| {
            ia_pd(w, 1, &[(prefix("2001:db8:100::/56"), 100, 300), (prefix("2001:db8:200::/60"), 1, 6)]);
            ia(w, IaKind::Address, 2, &[(prefix("2001:db8::5/128"), 50, 90)]);
        });
        let at = at % octets.len();
        if let Some(granted) = learn::reply(&octets[..at]) {
            assert!(granted.leases().count() <= 3);
        }
        octets[at] = octet;
        if let Some(granted) = learn::reply(&octets) {
            assert!(granted.leases().count() <= 3);
        }
    }
}
