//! What is kept for somebody, by whatever it is known.

use lease::IaKind::{Address, Prefix};
use lease::LinkId;
use server::assign::{Found, Identity, Seeker, Standing, Subscriber};
use wire::{Iaid, OptionCode, RelayChain, Writer};

use super::{Office, address, duid, link, prefix, reservation};

const LINE: &[u8] = b"\0\0\0\x09line 7";
const HARDWARE: &[u8] = &[0, 1, 2, 0, 0, 0, 0, 7];

/// An option of a relay.
type Said<'a> = (OptionCode, &'a [u8]);

/// Through relay 100 at the door, which says what the options say, and relay 101 before the server.
fn relayed(options: &[Said]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    let header = |w: &mut Writer<'_>, hops| {
        w.bytes(&[12, hops]);
        w.address("2001:db8::1".parse().unwrap());
        w.address("fe80::1".parse().unwrap());
    };
    header(&mut w, 1);
    w.raw_option(OptionCode::RELAY_ID, duid(101).octets());
    w.raw_option(OptionCode::REMOTE_ID, b"\0\0\0\x09uplink");
    w.option(OptionCode::RELAY_MSG, |w| {
        header(w, 0);
        w.raw_option(OptionCode::RELAY_ID, duid(100).octets());
        options.iter().for_each(|(code, data)| w.raw_option(*code, data));
    });
    w.finish().unwrap();
    octets
}

fn find(office: &mut Office, client: u32, iaid: u32, octets: &[u8]) -> Option<Found> {
    let (duid, chain) = (duid(client), RelayChain::decode_path(octets).unwrap());
    let identity = Identity { duid: &duid, relays: Some(&chain) };
    let seeker = Seeker {
        link: &office.links[0],
        identity: &identity,
        kind: Address,
        iaid: Iaid(iaid),
        hint: None,
        length_hint: None,
        remembered: &[],
        taken: &[],
        takes_exclusion: false,
    };
    office.assigner.find(&seeker, &office.table, office.now)
}

// DH-L-11
#[test]
fn a_port_has_what_is_kept_for_it_if_its_name_is_just_the_same() {
    let kept = ["2001:db8::a", "2001:db8::b", "2001:db8::c", "2001:db8::d", "2001:db8::e"].map(address);
    let reservations = vec![
        reservation(Subscriber::RemoteId(None, LINE.into()), &kept[..1]),
        reservation(Subscriber::RemoteId(Some(duid(100)), (*b"\0\0\0\x09line 8").into()), &kept[1..2]),
        reservation(Subscriber::InterfaceId(duid(100), (*b"ge-0").into()), &kept[2..3]),
        reservation(Subscriber::LinkLayer(1, HARDWARE[2..].into()), &kept[3..4]),
        reservation(Subscriber::RemoteId(Some(duid(101)), (*b"\0\0\0\x09line 9").into()), &kept[4..5]),
    ];
    let pool = ["2001:db8::a to 2001:db8::ff"];
    let mut office = Office::with_reservations(vec![link(&["2001:db8::/64"], &pool)], reservations);
    let cases: [(&[Said], _); 9] = [
        (&[(OptionCode::REMOTE_ID, LINE)], Some(0)),
        (&[(OptionCode::REMOTE_ID, b"\0\0\0\x09line 8")], Some(1)),
        (&[(OptionCode::INTERFACE_ID, b"ge-0")], Some(2)),
        (&[(OptionCode::CLIENT_LINKLAYER_ADDR, HARDWARE)], Some(3)),
        (&[(OptionCode::CLIENT_LINKLAYER_ADDR, HARDWARE), (OptionCode::INTERFACE_ID, b"ge-0")], Some(2)),
        // Another relay has that line; and these names are only nearly the same.
        (&[(OptionCode::REMOTE_ID, b"\0\0\0\x09line 9")], None),
        (&[(OptionCode::REMOTE_ID, b"\0\0\0\x09line 77")], None),
        (&[(OptionCode::REMOTE_ID, b"\0\0\0\x08line 7")], None),
        (&[(OptionCode::INTERFACE_ID, b"GE-0")], None),
    ];
    for (options, expected) in cases {
        let found = find(&mut office, 1, 1, &relayed(options)).unwrap().resource;
        match expected {
            Some(place) => assert_eq!(found, kept[place], "{options:?}"),
            None => assert!(!kept.contains(&found), "{options:?}"),
        }
    }
}

#[test]
fn the_closest_name_counts_and_each_association_has_one() {
    let [of_association, first, second, of_port] =
        ["2001:db8::a", "2001:db8::b", "2001:db8:ffff::c", "2001:db8::d"].map(address);
    let reservations = vec![
        reservation(Subscriber::RemoteId(None, LINE.into()), &[of_port]),
        reservation(Subscriber::Client(duid(1)), &[first, second]),
        reservation(Subscriber::Association(duid(1), Iaid(9)), &[of_association]),
    ];
    let pool = ["2001:db8::a to 2001:db8::d"];
    let mut office = Office::with_reservations(vec![link(&["2001:db8::/64"], &pool)], reservations);
    let octets = relayed(&[(OptionCode::REMOTE_ID, LINE)]);
    let found = |office: &mut Office, iaid| find(office, 1, iaid, &octets).map(|found| found.resource);
    assert_eq!(found(&mut office, 9), Some(of_association));
    assert_eq!(found(&mut office, 1), Some(first));
    office.hold(1, &[first]);
    assert_eq!(found(&mut office, 2), Some(second));
    office.hold(1, &[first, second]);
    assert_eq!(found(&mut office, 2), Some(of_port));
    office.hold(1, &[first, second, of_port]);
    assert_eq!(found(&mut office, 2), Some(address("2001:db8::c")));
    let duid = duid(1);
    let chain = RelayChain::decode_path(&octets).unwrap();
    let identity = Identity { duid: &duid, relays: Some(&chain) };
    let reserved = office.assigner.reserved(LinkId(1), &identity);
    assert_eq!(reserved.len(), 3);
    assert!(matches!(reserved[0].subscriber, Subscriber::Association(..)));
    assert!(matches!(reserved[2].subscriber, Subscriber::RemoteId(..)));
    assert!(office.assigner.reserved(LinkId(2), &identity).is_empty());
}

#[test]
fn nobody_else_has_what_is_kept() {
    let kept =
        [prefix("2001:db8:100:1000::/52"), prefix("2001:db8:200::/56"), address("2001:db8:100:2000::1")];
    let reservations = vec![reservation(Subscriber::Client(duid(1)), &kept)];
    let pool = ["2001:db8:100::/48 by 54"];
    let mut office = Office::with_reservations(vec![link(&[], &pool)], reservations);
    let mut free = Vec::new();
    while let Some(found) = office.find(2, Prefix, |wish| wish.taken = &free) {
        free.push(found.resource);
    }
    assert_eq!(free.len(), 64 - 4 - 1);
    for text in ["2001:db8:100:1400::/54", "2001:db8:100:2000::/54", "2001:db8:200::/56"] {
        let found = office.find(2, Prefix, |wish| wish.hint = Some(prefix(text))).unwrap();
        assert_ne!(found.resource, prefix(text));
    }
    assert_eq!(office.plain(1, Prefix).unwrap().resource, kept[0]);
    let second = office.find(1, Prefix, |wish| wish.hint = Some(kept[1])).unwrap().resource;
    assert_eq!(second, kept[1]);
}

#[test]
fn what_is_kept_for_one_association_is_not_for_another() {
    let kept = address("2001:db8::a");
    let reservations = vec![reservation(Subscriber::Association(duid(1), Iaid(9)), &[kept])];
    let pool = ["2001:db8::a to 2001:db8::b"];
    let mut office = Office::with_reservations(vec![link(&["2001:db8::/64"], &pool)], reservations);
    let other = office.find(1, Address, |wish| (wish.hint, wish.iaid) = (Some(kept), 8)).unwrap();
    assert_eq!(other.resource, address("2001:db8::b"));
    let own = office.find(1, Address, |wish| wish.iaid = 9).unwrap();
    assert_eq!(own.resource, kept);
}

#[test]
fn a_resource_is_assignable_on_the_link_or_foreign() {
    let kept = [address("2001:db8::12"), address("2001:db8:5::1"), prefix("2001:db8:400::/48")];
    let reservations = vec![reservation(Subscriber::Client(duid(1)), &kept)];
    let pools = ["2001:db8::10 to 2001:db8::1f", "2001:db8:100::/40 by 56"];
    let office = Office::with_reservations(vec![link(&["2001:db8::/64"], &pools)], reservations);
    let standing = |client, resource| {
        let duid = duid(client);
        office.assigner.standing(&office.links[0], resource, &Identity { duid: &duid, relays: None })
    };
    use Standing::{Assignable, Foreign, OnLink};
    let cases = [
        (address("2001:db8::10"), Assignable, Assignable),
        (address("2001:db8::12"), Assignable, OnLink),
        (address("2001:db8::20"), OnLink, OnLink),
        (address("2001:db8:5::1"), Assignable, OnLink),
        (address("2001:db8:5::2"), Foreign, Foreign),
        (prefix("2001:db8:100:100::/56"), Assignable, Assignable),
        (prefix("2001:db8:100:100::/57"), OnLink, OnLink),
        (prefix("2001:db8:100::/48"), OnLink, OnLink),
        (prefix("2001:db8:400::/48"), Assignable, OnLink),
        (prefix("2001:db8:400::/56"), Foreign, Foreign),
    ];
    for (resource, own, others) in cases {
        assert_eq!((standing(1, resource), standing(2, resource)), (own, others), "{resource}");
    }
}
