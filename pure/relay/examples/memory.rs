//! What delegations cost: resident octets for each, and seconds.
//!
//! `cargo run --release -p relay --example memory [delegations [clients-per-port [in-order]]]`
//!
//! Each client holds one prefix. A server tells of all of them, in random order (or in that of the
//! prefixes); then it tells of them again, every client renews, and all expire. Resident memory is what
//! Linux says in `/proc/self/statm`; it includes everything.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "measuring needs a clock and somewhere to print"
)]

use std::net::Ipv6Addr;
use std::time::Duration;

use relay::{Delegation, Delegations, Limits, Moment, PortId, Ports, ServerId, Teller, Verdict};
use requestor::Lifetime;
use wire::{Duid, IaKind, Prefix};
use world::Instant;

const LIMITS: Limits = Limits { per_client: 8, per_port: usize::MAX };
const VALID_SECS: u32 = 7200;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual| arguments.next().map_or(usual, |text| text.parse().expect("a number"));
    let (count, per_port) = (number(64_000), number(64_000));
    let in_order = arguments.next().is_some();
    let order = if in_order { (0..count).collect() } else { shuffled(count) };
    let mut names = Ports::default();
    let ports: Vec<PortId> = (0..count.div_ceil(per_port))
        .map(|port| names.intern(format!("ge-0/0/1.{port}").as_bytes()).expect("there is room"))
        .collect();
    let word = |number: u32, now: Instant| delegation(number, ports[(number / per_port) as usize], now);

    println!("{count} delegations on {} ports", ports.len());
    let empty = resident_octets();
    let mut table = Delegations::default();
    let now = Instant::since_start(Duration::from_secs(1000));
    table.begin_epoch();
    timed("told of by a server", count, || {
        for number in &order {
            assert_eq!(table.hear(word(*number, now), LIMITS, now), Verdict::New);
            drain(&mut table, *number);
        }
    });
    timed("all changes taken", count, || while !table.take_changed(1000).is_empty() {});
    println!("resident: {:.0} octets a delegation", (resident_octets() - empty) as f64 / f64::from(count));
    let later = now + Duration::from_secs(60);
    timed("told of again", count, || {
        for number in &order {
            let end = Lifetime::from_secs(VALID_SECS, now);
            let word = Delegation { preferred: end, valid: end, ..word(*number, later) };
            assert_eq!(table.hear(word, LIMITS, later), Verdict::Same);
        }
    });
    timed("renewed", count, || {
        for number in &order {
            let word = Delegation { told_by: Teller::Reply, heard: later.into(), ..word(*number, later) };
            assert_eq!(table.grant(word, LIMITS, later), Verdict::Renewed);
            drain(&mut table, *number);
        }
    });
    timed("swept, in vain", count, || assert_eq!(table.end_epoch(|_| true).swept, 0));
    timed("listed", count, || assert_eq!(table.all(None).count(), count as usize));
    timed("expired", count, || {
        assert_eq!(table.expire(later + Duration::from_secs(7200), usize::MAX), count as usize);
    });
}

/// As a caller does, who keeps up.
fn drain(table: &mut Delegations, number: u32) {
    if number.is_multiple_of(256) {
        while !table.take_changed(256).is_empty() {}
    }
}

fn delegation(number: u32, port: PortId, now: Instant) -> Delegation {
    let address = Ipv6Addr::from_bits((0x2001_0db9 << 96) | (u128::from(number) << 72));
    let duid = [&[0, 3, 0, 1, 2, 0], number.wrapping_mul(0x9e37_79b1).to_be_bytes().as_slice()].concat();
    Delegation {
        prefix: Prefix::new(address, 56).expect("56 bits are not too many"),
        kind: IaKind::Prefix,
        client: Duid::new(&duid).expect("ten octets"),
        iaid: None,
        port,
        next_hop: Ipv6Addr::from_bits((0xfe80 << 112) | u128::from(number)),
        preferred: Lifetime::from_secs(VALID_SECS, now),
        valid: Lifetime::from_secs(VALID_SECS, now),
        heard: Moment::before(now, Duration::from_secs(60)),
        told_by: Teller::Server(ServerId(0)),
    }
}

/// Every number below `count`, in an order that is the same each time.
fn shuffled(count: u32) -> Vec<u32> {
    let mut chance = world::Chance::from_seed(7);
    let mut numbers: Vec<u32> = (0..count).collect();
    for last in (1..numbers.len()).rev() {
        numbers.swap(last, chance.below(last as u64 + 1) as usize);
    }
    numbers
}

fn timed(what: &str, count: u32, work: impl FnOnce()) {
    let begun = std::time::Instant::now();
    work();
    let secs = begun.elapsed().as_secs_f64();
    println!("{what}: {:.1} ms, {:.0} ns each", secs * 1e3, secs * 1e9 / f64::from(count));
}

fn resident_octets() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("this is Linux");
    let pages = statm.split(' ').nth(1).and_then(|text| text.parse::<u64>().ok());
    pages.expect("the second number is resident pages") * 4096
}
