//! Identity associations: read where they lie, one by one, and written from what they hold.

use std::net::Ipv6Addr;

use wire::{DecodeError, IaKind, Iaid, OptionCode, Options, Prefix, PrefixError, Status, StatusCode, Writer};

#[path = "support/vectors.rs"]
mod vectors;
#[path = "support/walk.rs"]
#[allow(dead_code, reason = "each test takes what it needs")]
mod walk;

use vectors::vector;
use walk::written;

fn address() -> Ipv6Addr {
    "2001:db8:1::100".parse().unwrap()
}

fn prefix() -> Prefix {
    "2001:db8:f000:100::/56".parse().unwrap()
}

#[test]
fn the_associations_of_v12_are_two() {
    let octets = vector("V12");
    let (_, solicit) = wire::RelayChain::decode(&octets).unwrap();
    let message = wire::ClientMessage::decode(solicit).unwrap();
    let ias: Vec<_> = message.options.ias().map(|ia| ia.map(|(kind, ia)| (kind, ia.iaid))).collect();
    assert_eq!(ias, [Ok((IaKind::Address, Iaid(1))), Ok((IaKind::Prefix, Iaid(1)))]);
    let written = written(|w| {
        w.ia_na(Iaid(1), 0, 0, |_| {});
        w.ia_pd(Iaid(1), 0, 0, |_| {});
    })
    .unwrap();
    assert!(solicit.windows(written.len()).any(|part| part == written));
}

#[test]
fn what_is_written_is_read_again() {
    let octets = written(|w| {
        w.ia_pd(Iaid(7), 1000, 2000, |w| {
            w.ia_prefix(prefix(), 3000, 4000, |w| w.raw_option(OptionCode::PD_EXCLUDE, &[64, 1]));
            w.status(StatusCode::SUCCESS, "kept");
        });
        w.raw_option(OptionCode::IA_TA, &[0; 4]);
        w.ia_na(Iaid(7), 0, 0, |w| w.ia_address(address(), 0, 0));
        w.ia(IaKind::Address, Iaid(8), 0, 0, |w| w.status(StatusCode::NO_ADDRS_AVAIL, ""));
    })
    .unwrap();
    let ias: Vec<_> = Options::new(&octets).unwrap().ias().map(Result::unwrap).collect();
    let [(IaKind::Prefix, delegated), (IaKind::Address, assigned), (IaKind::Address, refused)] = ias[..]
    else {
        panic!("{ias:?}")
    };
    assert_eq!((delegated.iaid, delegated.t1_secs, delegated.t2_secs), (Iaid(7), 1000, 2000));
    let kept = Status { code: StatusCode::SUCCESS, message: b"kept" };
    assert_eq!(delegated.options.status(), Ok(Some(kept)));
    let leases: Vec<_> = delegated.options.ia_prefixes().map(Result::unwrap).collect();
    let [lease] = leases[..] else { panic!("{leases:?}") };
    assert_eq!((lease.prefix, lease.preferred_secs, lease.valid_secs), (prefix(), 3000, 4000));
    assert_eq!(lease.options.first(OptionCode::PD_EXCLUDE), Some([64, 1].as_slice()));

    let leases: Vec<_> = assigned.options.ia_addresses().map(Result::unwrap).collect();
    let [lease] = leases[..] else { panic!("{leases:?}") };
    assert_eq!((lease.address, lease.preferred_secs, lease.valid_secs), (address(), 0, 0));
    assert_eq!(assigned.options.ia_prefixes().count(), 0);
    assert_eq!(refused.options.status().unwrap().unwrap().code, StatusCode::NO_ADDRS_AVAIL);
}

#[test]
fn one_that_is_malformed_is_an_error_by_itself() {
    let octets = written(|w| {
        w.raw_option(OptionCode::IA_NA, &[0; 11]);
        w.raw_option(OptionCode::IA_PD, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 0]);
        w.ia_na(Iaid(2), 0, 0, leases);
    })
    .unwrap();
    let ias: Vec<_> = Options::new(&octets).unwrap().ias().collect();
    let [Err(DecodeError::Truncated), Err(DecodeError::Truncated), Ok((IaKind::Address, ia))] = ias[..]
    else {
        panic!("{ias:?}")
    };
    let addresses: Vec<_> = ia.options.ia_addresses().map(|lease| lease.map(|lease| lease.address)).collect();
    assert_eq!(addresses, [Err(DecodeError::Truncated), Ok(address())]);
    let prefixes: Vec<_> = ia.options.ia_prefixes().map(|lease| lease.map(|lease| lease.prefix)).collect();
    assert_eq!(prefixes, [Err(DecodeError::BadPrefix(PrefixError::Length(129))), Ok(prefix())]);
}

fn leases(w: &mut Writer<'_>) {
    w.raw_option(OptionCode::IAADDR, &[0; 23]);
    w.ia_address(address(), 1, 2);
    w.raw_option(OptionCode::IAPREFIX, &[[0; 8].as_slice(), &[129], &[0; 16]].concat());
    w.ia_prefix(prefix(), 1, 2, |_| {});
}

#[test]
fn the_address_asked_about_is_that_of_the_only_lease() {
    let lease = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[7], &[0; 8]].concat();
    let one = written(|w| w.raw_option(OptionCode::IAADDR, &lease)).unwrap();
    assert_eq!(Options::new(&one).unwrap().queried_address(), Ok("2001:db8::7".parse().ok()));
    assert_eq!(Options::default().queried_address(), Ok(None));
    let two = [&one[..], &one].concat();
    assert!(Options::new(&two).unwrap().queried_address().is_err());
}
