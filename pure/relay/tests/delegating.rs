//! What becomes of delegations: by Replies, Releases, servers' answers, commands and time.

use std::net::Ipv6Addr;
use std::time::Duration;

use relay::{
    Delegation, Delegations, EpochEnd, Filter, Limits, Moment, PortId, PortRules, Ports, ServerId, Teller,
    Verdict, learn,
};
use requestor::Lifetime;
use wire::{Duid, IaKind, Iaid, MessageType, Prefix};
use world::Instant;

use crate::exchanges::{duid, ia, ia_pd, message, prefix};

const WIDE: Limits = Limits { per_client: 1000, per_port: 1000 };

/// A point on the clock, seconds from its beginning.
fn at(secs: u64) -> Instant {
    Instant::since_start(Duration::from_secs(secs))
}

fn hop(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number)
}

/// The prefix of this number.
fn net(number: u16) -> Prefix {
    Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, number, 0, 0, 0, 0, 0), 56).expect("56 bits")
}

fn ports() -> [PortId; 2] {
    let mut ports = Ports::default();
    [b"eth1", b"eth2"].map(|name| ports.intern(name).expect("there is room"))
}

/// A table, and a clock.
struct Relay {
    table: Delegations,
    now: Instant,
    limits: Limits,
    ports: [PortId; 2],
}

impl Relay {
    fn new() -> Self {
        Self { table: Delegations::default(), now: at(1000), limits: WIDE, ports: ports() }
    }

    fn word(&self, client: u8, port: usize, prefix: Prefix, valid_secs: u32) -> Delegation {
        Delegation {
            prefix,
            kind: IaKind::Prefix,
            client: duid(client),
            iaid: Some(Iaid(1)),
            port: self.ports[port],
            next_hop: hop(client.into()),
            preferred: Lifetime::from_secs(valid_secs, self.now),
            valid: Lifetime::from_secs(valid_secs, self.now),
            heard: self.now.into(),
            told_by: Teller::Reply,
        }
    }

    fn grant(&mut self, word: Delegation) -> Verdict {
        self.table.grant(word, self.limits, self.now)
    }

    /// A Reply grants a prefix to a client on a port.
    fn granted(&mut self, client: u8, port: usize, prefix: Prefix, valid_secs: u32) -> Verdict {
        self.grant(self.word(client, port, prefix, valid_secs))
    }

    /// A server tells of a prefix, heard so many seconds ago.
    fn told(&mut self, client: u8, port: usize, prefix: Prefix, valid_secs: u32, clt_secs: u64) -> Verdict {
        let word = self.answer(client, port, prefix, valid_secs, clt_secs);
        self.table.hear(word, self.limits, self.now)
    }

    fn answer(&self, client: u8, port: usize, prefix: Prefix, valid_secs: u32, clt_secs: u64) -> Delegation {
        Delegation {
            iaid: None,
            heard: Moment::before(self.now, Duration::from_secs(clt_secs + 1)),
            told_by: Teller::Server(ServerId(0)),
            ..self.word(client, port, prefix, valid_secs)
        }
    }

    fn releases(&mut self, client: u8, port: usize, options: impl FnOnce(&mut wire::Writer<'_>)) -> usize {
        let octets = message(MessageType::Release, &duid(client), options);
        let released = learn::released(&octets).expect("a Release");
        self.table.release(self.ports[port], &released, self.now)
    }

    fn held(&self) -> Vec<Prefix> {
        self.table.all(None).map(|held| held.prefix).collect()
    }

    fn on(&self, port: usize) -> Vec<Prefix> {
        self.table.on_port(self.ports[port], None).map(|held| held.prefix).collect()
    }

    fn changed(&mut self) -> Vec<(Prefix, bool)> {
        self.table.take_changed(usize::MAX).into_iter().map(|change| (change.prefix, change.way)).collect()
    }

    fn pass(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
        self.table.expire(self.now, usize::MAX);
    }
}

// PDR-03
#[test]
fn prefixes_of_one_association_end_at_their_own_times() {
    let mut relay = Relay::new();
    let (short, long) = (prefix("2001:db8:100::/56"), prefix("2001:db8:200::/60"));
    let octets =
        message(MessageType::Reply, &duid(1), |w| ia_pd(w, 1, &[(short, 100, 300), (long, 100, 600)]));
    for lease in learn::reply(&octets).expect("it grants").leases() {
        let word = relay.word(1, 0, lease.prefix, lease.valid_secs);
        assert_eq!(relay.grant(word), Verdict::New);
    }
    assert_eq!(relay.held(), [short, long]);
    assert_eq!(relay.table.next_expiry(), Some(at(1300)));
    relay.pass(299);
    assert_eq!(relay.held(), [short, long]);
    relay.pass(1);
    assert_eq!(relay.held(), [long]);
    relay.pass(300);
    assert!(relay.table.is_empty());
    assert_eq!(relay.table.next_expiry(), None);
}

// PDR-04
#[test]
fn a_client_holds_several_associations_on_one_port() {
    let mut relay = Relay::new();
    for number in 1..=3 {
        let word = Delegation { iaid: Some(Iaid(number.into())), ..relay.word(1, 0, net(number), 300) };
        assert_eq!(relay.grant(word), Verdict::New);
    }
    assert_eq!(relay.held().len(), 3);
    assert_eq!(relay.table.clients(), 1);
}

// PDR-05
#[test]
fn one_duid_on_two_ports_is_two_clients() {
    let mut relay = Relay::new();
    relay.granted(1, 0, net(1), 300);
    relay.granted(1, 1, net(2), 300);
    assert_eq!((relay.on(0), relay.on(1)), (vec![net(1)], vec![net(2)]));
    let gone = relay.releases(1, 0, |w| ia_pd(w, 1, &[(net(1), 0, 0), (net(2), 0, 0)]));
    assert_eq!(gone, 1, "what the same DUID holds on another port stays");
    assert_eq!(relay.held(), [net(2)]);
}

// PDR-05
#[test]
fn with_unique_duids_a_client_is_where_it_was_heard_last() {
    let mut relay = Relay::new();
    relay.table.set_unique_duids(true);
    relay.granted(1, 0, net(1), 300);
    relay.granted(2, 0, net(9), 300);
    relay.pass(10);
    assert_eq!(relay.granted(1, 1, net(2), 300), Verdict::New);
    assert_eq!((relay.on(0), relay.on(1)), (vec![net(9)], vec![net(2)]));
    assert_eq!(relay.told(1, 0, net(1), 300, 5), Verdict::Stale, "it was there before");
    relay.pass(10);
    assert_eq!(relay.told(1, 0, net(1), 300, 1), Verdict::New, "it has gone back");
    assert_eq!((relay.on(0), relay.on(1)), (vec![net(1), net(9)], vec![]));
}

// PDR-06, PDR-09
#[test]
fn a_client_holds_as_many_as_it_may() {
    let mut relay = Relay::new();
    relay.limits = Limits::from(&PortRules::default());
    for number in 1..=8 {
        assert_eq!(relay.granted(1, 0, net(number), 300), Verdict::New, "{number}");
    }
    assert_eq!(relay.granted(1, 0, net(9), 300), Verdict::TooManyForClient);
    assert_eq!(relay.held().len(), 8);
    assert_eq!(relay.granted(2, 0, net(9), 300), Verdict::New, "another client may");
    assert_eq!(relay.granted(1, 1, net(10), 300), Verdict::New, "and so may the same DUID elsewhere");
    relay.limits.per_client = 2;
    relay.pass(1);
    assert_eq!(relay.granted(1, 0, net(3), 300), Verdict::Renewed, "what is held may be renewed");
    assert_eq!(relay.granted(3, 0, net(11), 300), Verdict::New);
    assert_eq!(relay.granted(3, 0, net(12), 300), Verdict::New);
    assert_eq!(relay.granted(3, 0, net(13), 300), Verdict::TooManyForClient);
}

// PDR-06
#[test]
fn a_client_may_be_allowed_none() {
    let mut relay = Relay::new();
    relay.limits.per_client = 0;
    assert_eq!(relay.granted(1, 0, net(1), 300), Verdict::TooManyForClient);
    assert_eq!((relay.held(), relay.table.clients()), (vec![], 0));
}

// PDR-07, PDR-08, PDR-31
#[test]
fn a_port_holds_as_many_as_it_may() {
    for per_port in [3_u8, 4] {
        let mut relay = Relay::new();
        relay.limits.per_port = per_port.into();
        for client in 1..=per_port {
            assert_eq!(relay.granted(client, 0, net(client.into()), 300), Verdict::New);
        }
        relay.changed();
        assert_eq!(relay.granted(9, 0, net(9), 300), Verdict::TooManyOnPort);
        assert_eq!(relay.told(9, 0, net(9), 300, 0), Verdict::TooManyOnPort);
        assert_eq!(relay.changed(), [], "it gets no route");
        assert_eq!(relay.granted(9, 1, net(9), 300), Verdict::New, "another port has room");
        relay.pass(1);
        assert_eq!(relay.granted(1, 0, net(1), 300), Verdict::Renewed);
        relay.pass(299);
        relay.pass(1);
        assert_eq!(relay.granted(8, 0, net(8), 300), Verdict::New, "what has ended makes room");
    }
}

#[test]
fn addresses_are_counted_apart() {
    let mut relay = Relay::new();
    relay.limits = Limits { per_client: 1, per_port: 1 };
    let host = prefix("2001:db8::5/128");
    let address = |relay: &Relay, host| Delegation { kind: IaKind::Address, ..relay.word(1, 0, host, 300) };
    assert_eq!(relay.granted(1, 0, net(1), 300), Verdict::New);
    assert_eq!(relay.grant(address(&relay, host)), Verdict::New);
    assert_eq!(relay.grant(address(&relay, prefix("2001:db8::6/128"))), Verdict::TooManyForClient);
    let counts = relay.table.counts_on_port(relay.ports[0]);
    assert_eq!((counts.prefixes, counts.addresses, counts.total()), (1, 1, 2));
}

// PDR-10
#[test]
fn lifetimes_follow_the_replies() {
    let mut relay = Relay::new();
    relay.granted(1, 0, net(1), 300);
    assert_eq!(relay.changed(), [(net(1), true)]);
    relay.pass(150);
    assert_eq!(relay.granted(1, 0, net(1), 600), Verdict::Renewed);
    assert_eq!(relay.changed(), [(net(1), false)], "the way stays, the time goes on");
    assert_eq!(relay.table.next_expiry(), Some(at(1750)));
    assert_eq!(relay.granted(1, 0, net(1), 600), Verdict::Same);
    assert_eq!(relay.granted(1, 0, net(1), 100), Verdict::Renewed, "shorter counts, too");
    assert_eq!(relay.table.next_expiry(), Some(at(1250)));
    assert_eq!(relay.granted(1, 0, net(1), u32::MAX), Verdict::Renewed);
    assert_eq!(relay.table.next_expiry(), None);
    relay.changed();
    assert_eq!(relay.granted(1, 0, net(1), 0), Verdict::Ended, "the server has taken it back");
    assert_eq!(relay.changed(), [(net(1), true)]);
    assert!(relay.table.is_empty());
}

// PDR-10
#[test]
fn a_client_with_another_address_is_reached_by_another_next_hop() {
    let mut relay = Relay::new();
    relay.granted(1, 0, net(1), 300);
    relay.changed();
    let word = Delegation { next_hop: hop(77), ..relay.word(1, 0, net(1), 300) };
    assert_eq!(relay.grant(word), Verdict::Rerouted);
    assert_eq!(relay.changed(), [(net(1), true)]);
    assert_eq!(relay.table.get(net(1)).map(|held| held.next_hop), Some(hop(77)));
}

// PDR-11
#[test]
fn nothing_but_its_end_ends_a_delegation() {
    let mut relay = Relay::new();
    relay.granted(1, 0, net(1), 300);
    assert_eq!(relay.granted(2, 0, net(1), 0), Verdict::Stale, "not its client");
    assert_eq!(relay.granted(1, 1, net(1), 0), Verdict::Stale, "not its port");
    relay.now = at(1299);
    assert_eq!(relay.table.expire(relay.now, 10), 0);
    assert_eq!(relay.held(), [net(1)]);
    relay.now = at(1300);
    assert_eq!(relay.table.expire(relay.now, 10), 1);
}

// PDR-12
#[test]
fn a_release_of_one_association_leaves_the_other() {
    let mut relay = Relay::new();
    for (iaid, number) in [(1, 1), (1, 2), (2, 3)] {
        let word = Delegation { iaid: Some(Iaid(iaid)), ..relay.word(1, 0, net(number), 300) };
        relay.grant(word);
    }
    relay.granted(2, 0, net(4), 300);
    relay.changed();
    assert_eq!(relay.releases(1, 0, |w| ia_pd(w, 1, &[(net(1), 0, 0)])), 2, "all of it, named or not");
    assert_eq!(relay.held(), [net(3), net(4)]);
    assert_eq!(relay.changed(), [(net(1), true), (net(2), true)]);
}

// PDR-12
#[test]
fn of_an_association_that_no_server_told_the_named_leases_are_released() {
    let mut relay = Relay::new();
    relay.told(1, 0, net(1), 300, 5);
    relay.told(1, 0, net(2), 300, 5);
    assert_eq!(relay.releases(1, 0, |w| ia_pd(w, 1, &[(net(1), 0, 0)])), 1);
    assert_eq!(relay.held(), [net(2)]);
}

// PDR-12
#[test]
fn nobody_releases_what_somebody_else_holds() {
    let mut relay = Relay::new();
    relay.granted(1, 0, net(1), 300);
    relay.granted(2, 0, net(2), 300);
    assert_eq!(relay.releases(2, 0, |w| ia_pd(w, 1, &[(net(1), 0, 0)])), 1, "its own, of that number");
    assert_eq!(relay.releases(1, 1, |w| ia_pd(w, 1, &[(net(1), 0, 0)])), 0);
    assert_eq!(relay.releases(1, 0, |w| ia(w, IaKind::Address, 1, &[(net(1), 0, 0)])), 0);
    assert_eq!(relay.held(), [net(1)]);
}

#[test]
fn a_released_or_declined_address_leaves_the_others_of_its_association() {
    let mut relay = Relay::new();
    let hosts = ["2001:db8::5/128", "2001:db8::6/128", "2001:db8::7/128"].map(prefix);
    for host in hosts {
        let word = Delegation { kind: IaKind::Address, ..relay.word(1, 0, host, 300) };
        relay.grant(word);
    }
    assert_eq!(relay.releases(1, 0, |w| ia(w, IaKind::Address, 1, &[(hosts[0], 0, 0)])), 1);
    let octets = message(MessageType::Decline, &duid(1), |w| {
        ia(w, IaKind::Address, 1, &[(hosts[1], 0, 0)]);
    });
    let declined = learn::released(&octets).expect("a Decline");
    assert_eq!(relay.table.release(relay.ports[0], &declined, relay.now), 1);
    assert_eq!(relay.held(), [hosts[2]]);
}

#[test]
fn a_prefix_that_is_given_to_somebody_else_moves() {
    let mut relay = Relay::new();
    relay.granted(1, 0, net(1), 300);
    relay.pass(10);
    assert_eq!(relay.granted(2, 1, net(1), 300), Verdict::Moved { from: duid(1), from_port: relay.ports[0] });
    assert_eq!((relay.on(0), relay.on(1)), (vec![], vec![net(1)]));
    assert_eq!(relay.told(1, 0, net(1), 300, 5), Verdict::Stale);
    relay.limits.per_port = 0;
    assert_eq!(relay.granted(3, 0, net(1), 300), Verdict::TooManyOnPort);
    assert!(relay.table.is_empty(), "whoever held it does no longer, whether or not there is room");
}

// BLQ-R-29
#[test]
fn an_answer_counts_from_its_receipt() {
    let mut relay = Relay::new();
    assert_eq!(relay.told(1, 0, net(1), 300, 100), Verdict::New);
    assert_eq!(relay.table.next_expiry(), Some(at(1300)), "CLT_TIME is not subtracted");
}

// PDR-34
#[test]
fn a_renewal_during_recovery_survives_an_older_answer() {
    let mut relay = Relay::new();
    relay.table.begin_epoch();
    relay.granted(1, 0, net(1), 600);
    relay.pass(5);
    assert_eq!(relay.told(1, 0, net(1), 100, 60), Verdict::Stale);
    assert_eq!(relay.told(1, 0, net(1), 100, 5), Verdict::Stale, "that may be the same contact");
    assert_eq!(relay.table.next_expiry(), Some(at(1600)));
    assert_eq!(relay.told(1, 0, net(1), 400, 3), Verdict::Renewed, "it has renewed past us");
    assert_eq!(relay.table.next_expiry(), Some(at(1405)));
    let iaid = relay.table.get(net(1)).and_then(|held| held.iaid);
    assert_eq!(iaid, Some(Iaid(1)), "no answer tells the number, so the one that is known stays");
}

// PDR-34
#[test]
fn of_two_servers_the_fresher_one_is_believed() {
    let mut relay = Relay::new();
    let other = |relay: &Relay, clt_secs| Delegation {
        told_by: Teller::Server(ServerId(1)),
        ..relay.answer(1, 0, net(1), 500, clt_secs)
    };
    relay.told(1, 0, net(1), 300, 100);
    let (stale, fresh) = (other(&relay, 101), other(&relay, 50));
    assert_eq!(relay.table.hear(stale, WIDE, relay.now), Verdict::Stale);
    assert_eq!(relay.table.hear(fresh, WIDE, relay.now), Verdict::Renewed);
    assert_eq!(relay.told(1, 0, net(1), 300, 100), Verdict::Stale);
}

#[test]
fn what_a_server_says_again_is_nothing_new() {
    let mut relay = Relay::new();
    relay.told(1, 0, net(1), 300, 100);
    relay.changed();
    relay.pass(50);
    for (valid_secs, clt_secs) in [(250, 150), (249, 151), (251, 150)] {
        assert_eq!(relay.told(1, 0, net(1), valid_secs, clt_secs), Verdict::Same);
    }
    assert_eq!(relay.changed(), []);
    assert_eq!(relay.told(1, 0, net(1), 100, 151), Verdict::Renewed, "its own later word counts");
}

#[test]
fn without_a_time_of_contact_anything_else_is_newer() {
    let mut relay = Relay::new();
    let unknown = |relay: &Relay, client| Delegation {
        heard: Moment::UNKNOWN,
        ..relay.answer(client, 0, net(1), 300, 0)
    };
    let (mine, other) = (unknown(&relay, 1), unknown(&relay, 2));
    assert_eq!(relay.table.hear(mine.clone(), WIDE, relay.now), Verdict::New);
    assert!(matches!(relay.table.hear(other, WIDE, relay.now), Verdict::Moved { .. }), "its later word");
    assert!(matches!(relay.told(1, 0, net(1), 300, 9000), Verdict::Moved { .. }));
    assert_eq!(relay.table.hear(mine, WIDE, relay.now), Verdict::Stale);
}

#[test]
fn what_has_ended_is_not_brought_back_by_an_older_answer() {
    let mut relay = Relay::new();
    for number in 1..=3 {
        relay.granted(1, 0, net(number), 3600);
    }
    relay.table.begin_epoch();
    relay.pass(10);
    relay.releases(1, 0, |w| ia_pd(w, 1, &[(net(1), 0, 0)]));
    assert!(relay.held().is_empty());
    relay.releases(2, 0, |w| ia_pd(w, 1, &[(net(4), 0, 0)]));
    relay.granted(2, 0, net(5), 0);
    assert_eq!(relay.told(1, 0, net(1), 3590, 10), Verdict::Stale, "released");
    assert_eq!(relay.told(2, 0, net(4), 3590, 10), Verdict::Stale, "released before it was known");
    assert_eq!(relay.told(2, 0, net(5), 3590, 10), Verdict::Stale, "taken back before it was known");
    assert_eq!(relay.told(3, 0, net(4), 3590, 10), Verdict::New, "another's Release is not its business");
    relay.pass(10);
    assert_eq!(relay.told(1, 0, net(1), 3600, 1), Verdict::New, "and granted again, past us");
    assert_eq!(relay.granted(1, 0, net(2), 3600), Verdict::New, "or not past us");
    relay.releases(1, 0, |w| ia_pd(w, 1, &[(net(1), 0, 0)]));
    relay.pass(600);
    assert_eq!(relay.told(1, 0, net(1), 3000, 700), Verdict::New, "nothing is under way for so long");
    relay.table.end_epoch(|_| true);
    assert_eq!(relay.told(1, 0, net(3), 3000, 900), Verdict::New, "later questions know of the end");
}

#[test]
fn when_too_much_has_ended_nothing_doubtful_is_believed() {
    let mut relay = Relay::new();
    let many = relay::limits::MAX_GRAVES as u128 + 2;
    let wide = Limits { per_client: usize::MAX, per_port: usize::MAX };
    let numbered =
        |number: u128| Prefix::new(((0x2001_0db9_u128 << 96) | (number << 64)).into(), 64).expect("64 bits");
    relay.limits = wide;
    for number in 0..many {
        relay.granted(1, 0, numbered(number), 3600);
    }
    relay.granted(2, 0, net(2), 3600);
    relay.table.begin_epoch();
    relay.pass(10);
    while relay.table.clear(&Filter::Client(duid(1)), relay.now, 1000) > 0 {}
    relay.pass(10);
    assert_eq!(relay.told(1, 0, numbered(0), 3600, 30), Verdict::Stale);
    assert_eq!(relay.told(1, 0, numbered(many - 1), 3600, 30), Verdict::Withheld);
    assert_eq!(relay.told(3, 0, net(3), 3600, 30), Verdict::Withheld, "who knows");
    assert_eq!(relay.told(4, 0, net(4), 3600, 2), Verdict::New, "that is newer than every end");
    assert_eq!(relay.told(2, 0, net(2), 3600, 30), Verdict::Stale, "it is held, and stays");
    assert_eq!(relay.table.end_epoch(|_| true), EpochEnd { swept: 0, withheld: 2 });
    relay.table.begin_epoch();
    assert_eq!(relay.told(3, 0, net(3), 3600, 30), Verdict::New, "asked for again");
}

#[test]
fn what_is_said_of_the_unknown_takes_half_the_room_at_most() {
    let half = relay::limits::MAX_GRAVES as u128 / 2;
    let numbered =
        |number: u128| Prefix::new(((0x2001_0db9_u128 << 96) | (number << 64)).into(), 64).expect("64 bits");
    let mut relay = Relay::new();
    relay.table.begin_epoch();
    relay.pass(10);
    for number in 0..=half {
        relay.releases(1, 0, |w| ia_pd(w, 1, &[(numbered(number), 0, 0)]));
    }
    relay.pass(10);
    assert_eq!(relay.told(1, 0, numbered(half - 1), 3600, 30), Verdict::Stale);
    assert_eq!(relay.told(1, 0, numbered(half), 3600, 30), Verdict::New, "there was no room for this one");
}

// PDR-11, PDR-34, BLQ-R-26
#[test]
fn only_a_complete_epoch_sweeps_what_nobody_has_spoken_of() {
    let mut relay = Relay::new();
    for number in 1..=5 {
        relay.granted(number as u8, 0, net(number), 3600);
    }
    relay.changed();
    relay.table.begin_epoch();
    assert!(relay.table.epoch_is_running());
    relay.pass(10);
    relay.told(1, 0, net(1), 3590, 10);
    relay.granted(2, 0, net(2), 3600);
    relay.granted(6, 0, net(6), 3600);
    let memory = Delegation { told_by: Teller::Memory, ..relay.answer(3, 0, net(3), 3600, 1) };
    relay.table.hear(memory, WIDE, relay.now);
    relay.table.abandon_epoch();
    assert_eq!(relay.held().len(), 6, "silence ends nothing");

    relay.table.begin_epoch();
    relay.told(1, 0, net(1), 3590, 10);
    relay.told(9, 0, net(4), 3590, 9000);
    relay.granted(2, 0, net(2), 3600);
    relay.changed();
    let first = relay.ports[0];
    let end = relay.table.end_epoch(|held| held.port == first && held.prefix != net(5));
    assert_eq!(end, EpochEnd { swept: 2, withheld: 0 });
    assert_eq!(relay.held(), [net(1), net(2), net(4), net(5)], "of that one nobody was asked");
    assert_eq!(relay.changed(), [(net(3), true), (net(6), true)]);
    assert!(!relay.table.epoch_is_running());
}

#[test]
fn what_is_remembered_yields_to_everything_newer() {
    let mut relay = Relay::new();
    let memory = |relay: &Relay, number, age| Delegation {
        told_by: Teller::Memory,
        heard: Moment::before(relay.now, Duration::from_secs(age)),
        ..relay.word(1, 0, net(number), 300)
    };
    for number in 1..=3 {
        let word = memory(&relay, number, 100);
        assert_eq!(relay.table.hear(word, WIDE, relay.now), Verdict::New);
    }
    assert_eq!(relay.told(1, 0, net(1), 900, 10), Verdict::Renewed);
    assert_eq!(relay.told(1, 0, net(2), 900, 500), Verdict::Stale);
    assert_eq!(relay.granted(1, 0, net(3), 900), Verdict::Renewed);
    let late = memory(&relay, 3, 0);
    assert_eq!(relay.table.hear(late, WIDE, relay.now), Verdict::Stale, "a Reply stands above memory");
}

#[test]
fn what_is_no_unicast_is_not_delegated() {
    let mut relay = Relay::new();
    for text in
        ["::/0", "::1/128", "::ffff:192.0.2.0/120", "fe80::/64", "ff00::/8", "ff02::1:2/128", "f000::/4"]
    {
        assert_eq!(relay.granted(1, 0, prefix(text), 300), Verdict::NotUnicast, "{text}");
        assert_eq!(relay.told(1, 0, prefix(text), 300, 1), Verdict::NotUnicast, "{text}");
    }
    for text in ["fd00:1::/48", "2001:db8::/32", "64:ff9b:1::/48"] {
        assert_eq!(relay.granted(1, 0, prefix(text), 300), Verdict::New, "{text}");
    }
}

#[test]
fn an_operator_clears_by_lease_client_or_port() {
    let full = || {
        let mut relay = Relay::new();
        for (client, port, number) in [(1, 0, 1), (1, 0, 2), (1, 1, 3), (2, 0, 4), (2, 1, 5)] {
            relay.granted(client, port, net(number), 300);
        }
        relay.changed();
        relay
    };
    let ports = ports();
    let cases: [(Filter, &[u16]); 6] = [
        (Filter::All, &[]),
        (Filter::Prefix(net(4)), &[1, 2, 3, 5]),
        (Filter::Client(duid(1)), &[4, 5]),
        (Filter::ClientOnPort(duid(1), ports[0]), &[3, 4, 5]),
        (Filter::Port(ports[0]), &[3, 5]),
        (Filter::Client(duid(9)), &[1, 2, 3, 4, 5]),
    ];
    for (filter, left) in cases {
        let mut relay = full();
        let mut cleared = 0;
        loop {
            match relay.table.clear(&filter, relay.now, 1) {
                0 => break,
                more => cleared += more,
            }
        }
        let left: Vec<Prefix> = left.iter().copied().map(net).collect();
        assert_eq!(relay.held(), left, "{filter:?}");
        assert_eq!(relay.changed().len(), cleared);
        assert_eq!(cleared, 5 - left.len());
    }
}

#[test]
fn a_list_goes_on_where_it_stopped() {
    let mut relay = Relay::new();
    for number in 1..=9 {
        relay.granted(1 + (number % 2) as u8, usize::from(number % 3 == 0), net(number), 300);
    }
    let [first, second] = relay.ports;
    let filters = [
        Filter::All,
        Filter::Port(first),
        Filter::Port(second),
        Filter::Client(duid(1)),
        Filter::ClientOnPort(duid(2), first),
        Filter::Prefix(net(3)),
    ];
    for filter in filters {
        let whole: Vec<Prefix> = relay.table.matching(&filter, None).map(|held| held.prefix).collect();
        let mut pieces = Vec::new();
        let mut last = None;
        while let Some(held) = relay.table.matching(&filter, last).next() {
            pieces.push(held.prefix);
            last = Some(held);
        }
        assert_eq!(pieces, whole, "{filter:?}");
        assert!(!whole.is_empty(), "{filter:?}");
    }
}

#[test]
fn a_list_goes_on_though_what_was_seen_last_has_ended() {
    let mut relay = Relay::new();
    relay.granted(1, 0, net(2), 300);
    for filter in [Filter::All, Filter::Client(duid(1)), Filter::ClientOnPort(duid(1), relay.ports[0])] {
        for (seen_last, left) in [(1, vec![net(2)]), (2, vec![]), (3, vec![])] {
            let mut before = Relay::new();
            before.granted(1, 0, net(seen_last), 300);
            let rest = relay.table.matching(&filter, before.table.get(net(seen_last)));
            let rest: Vec<Prefix> = rest.map(|held| held.prefix).collect();
            assert_eq!(rest, left, "behind {seen_last}, {filter:?}");
        }
    }
}

#[test]
fn changes_are_given_once_and_in_portions() {
    let mut relay = Relay::new();
    for number in 1..=5 {
        relay.granted(1, 0, net(number), 300);
        relay.pass(1);
        relay.granted(1, 0, net(number), 300);
    }
    let first: Vec<Prefix> = relay.table.take_changed(2).into_iter().map(|change| change.prefix).collect();
    assert_eq!(first, [net(1), net(2)]);
    assert!(relay.table.has_changed());
    let rest = relay.changed();
    assert_eq!(rest, [(net(3), true), (net(4), true), (net(5), true)], "that they are new is not forgotten");
    assert!(!relay.table.has_changed());
}

#[test]
fn what_is_held_is_as_it_was_told() {
    let mut relay = Relay::new();
    let word = relay.word(1, 0, net(1), 300);
    relay.grant(word.clone());
    let held = relay.table.get(net(1)).expect("it is held");
    assert_eq!(held.to_delegation(), word);
    let client: Duid = held.client.to_duid();
    assert_eq!(client, duid(1));
}
