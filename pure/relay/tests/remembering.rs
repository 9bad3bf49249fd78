//! What is written down is read again after a restart, and nothing else is taken for it.

use std::time::Duration;

use proptest::prelude::*;
use relay::image::{self, ImageError};
use relay::{Delegation, Delegations, Limits, Moment, Ports, Teller, Verdict};
use requestor::Lifetime;
use wire::{Duid, IaKind, Iaid, Prefix};
use world::{Instant, Now};

use crate::exchanges::{duid, prefix};

const WRITTEN_UNIX_SECS: u64 = 1_800_000_000;

/// So many seconds after the program's start, and so many after the writing.
fn now(since_start_secs: u64, since_writing_secs: i64) -> Now {
    Now {
        instant: Instant::since_start(Duration::from_secs(since_start_secs)),
        unix_secs: WRITTEN_UNIX_SECS.saturating_add_signed(since_writing_secs),
    }
}

fn delegation(ports: &mut Ports, now: Now) -> Delegation {
    Delegation {
        prefix: prefix("2001:db8:100::/56"),
        kind: IaKind::Prefix,
        client: duid(1),
        iaid: Some(Iaid(7)),
        port: ports.intern(b"ge-0/0/7").expect("there is room"),
        next_hop: "fe80::7".parse().expect("an address"),
        preferred: Lifetime::from_secs(100, now.instant),
        valid: Lifetime::from_secs(300, now.instant),
        heard: Moment::before(now.instant, Duration::from_secs(50)),
        told_by: Teller::Reply,
    }
}

/// As one program writes it.
fn written(delegation: Delegation, interface_id: &[u8], now: Now) -> Vec<u8> {
    let mut table = Delegations::default();
    let prefix = delegation.prefix;
    let verdict = table.grant(delegation, Limits { per_client: 1, per_port: 1 }, now.instant);
    assert_eq!(verdict, Verdict::New);
    image::encode(&table.get(prefix).expect("it is held"), interface_id, now)
}

// PDR-24
#[test]
fn a_delegation_comes_back_with_what_is_left_of_its_time() {
    let before = now(5000, 0);
    let octets = written(delegation(&mut Ports::default(), before), b"ge-0/0/7", before);

    let mut ports = Ports::default();
    ports.intern(b"another comes first now").expect("there is room");
    let later = now(3, 40);
    let image = image::decode(&octets).expect("an image");
    let port = ports.intern(image.interface_id).expect("there is room");
    assert_eq!(
        image.delegation(port, later),
        Delegation {
            port: ports.with_interface_id(b"ge-0/0/7").expect("it is known"),
            preferred: Lifetime::from_secs(60, later.instant),
            valid: Lifetime::from_secs(260, later.instant),
            heard: Moment::before(later.instant, Duration::from_secs(90)),
            told_by: Teller::Memory,
            ..delegation(&mut ports, later)
        }
    );
    let too_late = now(3, 300);
    assert_eq!(image.delegation(port, too_late).valid, Lifetime::Until(too_late.instant));
}

// PDR-24
#[test]
fn on_a_clock_that_is_behind_nothing_has_more_time_than_it_had() {
    let before = now(5000, 0);
    let octets = written(delegation(&mut Ports::default(), before), b"ge-0/0/7", before);
    let mut ports = Ports::default();
    let port = ports.intern(b"ge-0/0/7").expect("there is room");
    for since_writing_secs in [-1, -1_800_000_000] {
        let early = now(3, since_writing_secs);
        let read = image::decode(&octets).expect("an image").delegation(port, early);
        assert_eq!(read.valid, Lifetime::from_secs(300, early.instant));
        assert_eq!(read.heard, Moment::before(early.instant, Duration::from_secs(50)));
    }
}

#[test]
fn the_format_is_as_it_is_described() {
    let before = now(5000, 0);
    let octets = written(delegation(&mut Ports::default(), before), b"eth1", before);
    let expected = [
        &[1, 1, 0x20, 0x01, 0x0d, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 56][..],
        &[10, 0, 3, 0, 1, 2, 0, 0, 0, 0, 1],
        &[1, 0, 0, 0, 7],
        b"\0\x04eth1",
        &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
        &WRITTEN_UNIX_SECS.to_be_bytes(),
        &(WRITTEN_UNIX_SECS - 50).to_be_bytes(),
        &(WRITTEN_UNIX_SECS + 100).to_be_bytes(),
        &(WRITTEN_UNIX_SECS + 300).to_be_bytes(),
    ]
    .concat();
    assert_eq!(octets, expected);
    assert_eq!(image::key(prefix("2001:db8:100::/56"))[..], expected[2..19]);
}

#[test]
fn what_would_not_have_been_written_is_not_read() {
    let before = now(5000, 0);
    let octets = written(delegation(&mut Ports::default(), before), b"eth1", before);
    let with = |at: usize, octet: u8| {
        let mut changed = octets.clone();
        changed[at] = octet;
        changed
    };
    for (what, octets, error) in [
        ("another version", with(0, 2), ImageError::Version(2)),
        ("a third kind", with(1, 2), ImageError::Malformed),
        ("an address of 56 bits", with(1, 0), ImageError::Malformed),
        ("host bits", with(17, 1), ImageError::Malformed),
        ("129 bits", with(18, 129), ImageError::Malformed),
        ("a DUID that is too short", with(19, 2), ImageError::Malformed),
        ("half an IAID", with(30, 2), ImageError::Malformed),
        ("no Interface-ID", with(36, 0), ImageError::Malformed),
        ("something behind it", [&octets[..], &[0]].concat(), ImageError::Malformed),
        ("nothing", Vec::new(), ImageError::Malformed),
    ] {
        assert_eq!(image::decode(&octets), Err(error), "{what}");
    }
    for end in 0..octets.len() {
        assert_eq!(image::decode(&octets[..end]), Err(ImageError::Malformed), "{end}");
    }
}

fn any_lifetime() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![Just(None), (0..=u32::MAX - 1).prop_map(Some)]
}

proptest! {
    #[test]
    fn everything_comes_back(
        (address, length, is_prefix) in (any::<u64>(), 0_u8..=64, any::<bool>()),
        duid in prop::collection::vec(any::<u8>(), 3..=130),
        iaid in any::<Option<u32>>(),
        interface_id in prop::collection::vec(any::<u8>(), 1..=300),
        next_hop in any::<u128>(),
        heard_secs in any::<Option<u16>>(),
        (preferred_secs, valid_secs) in (any_lifetime(), any_lifetime()),
        (at_secs, later_secs) in (70_000_u64..10_000_000, 0_i64..100_000),
    ) {
        // Inside 2000::/3, so that it is one that may be delegated.
        let bits = (u128::from(address) << 61) >> 3 | (1 << 125);
        let length = if is_prefix { 32 + length } else { 128 };
        let (before, later) = (now(at_secs, 0), now(at_secs + later_secs.unsigned_abs(), later_secs));
        let until = |secs: Option<u32>| {
            secs.map_or(Lifetime::Forever, |secs| Lifetime::from_secs(secs.max(1), before.instant))
        };
        let mut ports = Ports::default();
        let port = ports.intern(&interface_id).expect("there is room");
        let word = Delegation {
            prefix: Prefix::new(bits.into(), length).expect("at most 128 bits"),
            kind: if is_prefix { IaKind::Prefix } else { IaKind::Address },
            client: Duid::new(&duid).expect("3 to 130 octets"),
            iaid: iaid.map(Iaid),
            port,
            next_hop: next_hop.into(),
            preferred: until(preferred_secs),
            valid: until(valid_secs),
            heard: heard_secs.map_or(Moment::UNKNOWN, |secs| {
                Moment::before(before.instant, Duration::from_secs(secs.into()))
            }),
            told_by: Teller::Reply,
        };
        let octets = written(word.clone(), &interface_id, before);
        let image = image::decode(&octets).expect("an image");
        prop_assert_eq!(image.interface_id, &interface_id[..]);
        let read = image.delegation(port, later);
        let ends = |lifetime: Lifetime| match lifetime {
            Lifetime::Until(end) => Lifetime::Until(end.max(later.instant)),
            Lifetime::Forever => Lifetime::Forever,
        };
        let expected = Delegation {
            preferred: ends(word.preferred),
            valid: ends(word.valid),
            told_by: Teller::Memory,
            ..word
        };
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn no_octets_whatever_are_a_trouble(mut octets in prop::collection::vec(any::<u8>(), 1..200)) {
        octets[0] = 1;
        let port = Ports::default().intern(b"eth1").expect("there is room");
        if let Ok(image) = image::decode(&octets) {
            let read = image.delegation(port, now(5, 5));
            prop_assert_eq!(read.told_by, Teller::Memory);
        }
    }
}
