//! Images: what goes in comes out, and octets that are no image are refused without a panic.

mod support;

use lease::InTurn;
use lease::limits::MAX_RELAY_PATH_OCTETS;
use lease::{
    Binding, Client, ClientKey, ClientView, Heard, IaKind, ImageError, Lease, LeaseState, LinkId,
    ReconfigureKey, Records, RelayPath, RelayPathError, Resource, Seq, Table, image,
};
use proptest::collection::vec;
use proptest::prelude::*;
use support::{Hop, client, hop, path, through};
use wire::{Duid, Iaid, OptionCode, Prefix};

/// An image counts its seconds from the year 2000, in 32 bits.
fn unix_secs() -> impl Strategy<Value = u64> {
    any::<u32>().prop_map(|secs| u64::from(secs) + 946_684_800)
}

fn any_duid() -> impl Strategy<Value = Duid> {
    vec(any::<u8>(), 3..=130).prop_map(|octets| Duid::new(&octets).unwrap())
}

fn any_hop() -> impl Strategy<Value = Hop> {
    let remote_id = prop::option::of(vec(any::<u8>(), 0..40));
    (prop::option::of(any_duid()), remote_id).prop_map(|(relay_id, remote_id)| Hop { relay_id, remote_id })
}

fn any_heard() -> impl Strategy<Value = Heard> {
    let path = prop::option::of(vec(any_hop(), 1..4).prop_map(|hops| path(&hops)));
    (unix_secs(), path).prop_map(|(at_unix_secs, path)| Heard { at_unix_secs, path })
}

fn any_prefix() -> impl Strategy<Value = Prefix> {
    (any::<u128>(), 0..=128_u8).prop_map(|(bits, length)| Prefix::new(bits.into(), length).unwrap())
}

fn any_state() -> impl Strategy<Value = LeaseState> {
    use LeaseState::{Active, Declined, Expired, Released};
    prop::sample::select(&[Active, Released, Expired, Declined][..])
}

fn any_lease(kind: IaKind) -> impl Strategy<Value = Lease> {
    let resource = match kind {
        IaKind::Address => any::<u128>().prop_map(|bits| Resource::Address(bits.into())).boxed(),
        IaKind::Prefix => any_prefix().prop_map(Resource::Prefix).boxed(),
    };
    let times = (unix_secs(), any::<u32>(), any::<u32>());
    (resource, any_state(), times, prop::option::of(any_prefix())).prop_map(
        |(resource, state, (granted_unix_secs, preferred_secs, valid_secs), excluded)| Lease {
            resource,
            state,
            granted_unix_secs,
            preferred_secs,
            valid_secs,
            excluded,
        },
    )
}

fn any_binding() -> impl Strategy<Value = Binding> {
    let kind = prop::sample::select(&[IaKind::Address, IaKind::Prefix][..]);
    (kind, any::<u32>()).prop_flat_map(|(kind, iaid)| {
        vec(any_lease(kind), 0..4).prop_map(move |leases| Binding { kind, iaid: Iaid(iaid), leases })
    })
}

fn any_reconfigure_key() -> impl Strategy<Value = ReconfigureKey> {
    any::<([u8; 16], u64)>().prop_map(|(octets, last_replay)| ReconfigureKey { octets, last_replay })
}

fn any_client() -> impl Strategy<Value = Client> {
    let key = (any::<u32>(), any_duid()).prop_map(|(link, duid)| ClientKey { link: LinkId(link), duid });
    let option = (any::<u16>(), vec(any::<u8>(), 0..40));
    let options = vec(option.prop_map(|(code, data)| (OptionCode(code), data.into())), 0..4);
    let reconfigure = prop::option::of(any_reconfigure_key());
    (key, any_heard(), options, reconfigure, vec(any_binding(), 0..4)).prop_map(
        |(key, heard, options, reconfigure, bindings)| Client { key, heard, options, reconfigure, bindings },
    )
}

/// Everything that can be asked of a view.
fn read_all(view: &ClientView<'_>) -> Client {
    view.leases().for_each(|held| _ = held.lease.until_unix_secs());
    view.relay_ids().for_each(drop);
    view.remote_ids().for_each(drop);
    view.to_client()
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(client in any_client()) {
        let image = image::encode(&client);
        let view = ClientView::decode(&image).unwrap();
        prop_assert_eq!(view.leases().count(), client.bindings.iter().map(|b| b.leases.len()).sum::<usize>());
        prop_assert_eq!(read_all(&view), client);
    }

    /// The store's image of a client is loaded as the client that was put, if it could be put.
    #[test]
    fn what_is_stored_is_what_was_put(client in any_client()) {
        let mut table = Table::default();
        let put = table.put(&client);
        let mut records = Records::default();
        records.push(&image::encode(&client)).unwrap();
        let loaded = Table::load(records, &InTurn);
        prop_assert_eq!(put.is_ok(), loaded.is_ok());
        if let Ok(loaded) = loaded {
            let batch = table.take_batch();
            prop_assert_eq!(batch[0].image.as_deref(), Some(&*image::encode(&client)));
            prop_assert_eq!(loaded.client(&client.key).unwrap().to_client(), client);
        }
    }

    #[test]
    fn arbitrary_octets_are_read_or_refused(
        mut octets in vec(any::<u8>(), 0..300),
        version in prop::option::of(1..=2_u8),
    ) {
        if let (Some(version), Some(first)) = (version, octets.first_mut()) {
            *first = version;
        }
        if let Ok(view) = ClientView::decode(&octets) {
            read_all(&view);
        }
    }

    #[test]
    fn damaged_images_are_read_or_refused(
        client in any_client(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut octets = image::encode(&client).into_vec();
        for (at, octet) in damage {
            let at = at.index(octets.len());
            octets[at] ^= octet;
        }
        octets.truncate(cut.map_or(octets.len(), |cut| cut.index(octets.len())));
        if let Ok(view) = ClientView::decode(&octets) {
            let again = read_all(&view);
            let image = image::encode(&again);
            prop_assert_eq!(ClientView::decode(&image).unwrap().to_client(), again);
        }
    }
}

#[test]
fn an_image_that_ends_early_or_late_is_refused() {
    let whole = through(client(1, 1, &["2001:db8:1::a", "2001:db8:f000::/56"]), &[hop(Some(9), None)]);
    let whole = image::encode(&whole).into_vec();
    for length in 0..whole.len() {
        assert_eq!(ClientView::decode(&whole[..length]).unwrap_err(), ImageError::Malformed, "{length}");
    }
    let longer = [&whole[..], &[0]].concat();
    assert_eq!(ClientView::decode(&longer).unwrap_err(), ImageError::Malformed);
}

#[test]
fn an_unknown_version_is_told_from_damage() {
    let mut octets = image::encode(&client(1, 1, &[])).into_vec();
    octets[0] = 3;
    assert_eq!(ClientView::decode(&octets).unwrap_err(), ImageError::Version(3));
    let mut records = Records::default();
    let refused = records.push(&octets).unwrap_err();
    assert_eq!(refused.to_string(), "a record of version 3, and only versions up to 2 are known");
    assert!(records.is_empty());
}

/// Whoever has no key is written as before there were any, and whoever has one is written with it.
#[test]
fn a_reconfigure_key_makes_the_difference_between_the_versions() {
    let without = client(1, 1, &["2001:db8:1::a"]);
    let key = ReconfigureKey { octets: [7; 16], last_replay: 9 };
    let with = Client { reconfigure: Some(key), ..without.clone() };
    let (old, new) = (image::encode(&without), image::encode(&with));
    assert_eq!((old[0], new[0], new.len() - old.len()), (1, 2, 24));
    assert_eq!(ClientView::decode(&old).unwrap().reconfigure, None);
    assert_eq!(ClientView::decode(&new).unwrap().reconfigure, Some(key));
    assert!(!format!("{with:?}").contains("7, 7"), "a secret is not printed");
}

/// A path that could never be sent is not kept, and so not read either.
#[test]
fn a_path_over_its_limit_is_refused() {
    let direct = image::encode(&client(1, 1, &[])).into_vec();
    let header = [&[12, 0][..], &[0; 32], &[0, 37, 0xee, 0x00], &[0; 0xee00]].concat();
    // Version, link, DUID behind its length, heard: then come the octets of the path.
    let (before, after) = direct.split_at(1 + 4 + 1 + 10 + 4);
    let length = (header.len() as u16).to_be_bytes();
    let octets = [before, &length, &header, &[0; 16], &after[2..]].concat();
    assert_eq!(ClientView::decode(&octets).unwrap_err(), ImageError::Malformed);
}

#[test]
fn a_path_is_as_long_as_it_may_be_and_no_longer() {
    let of_length = |octets: usize| {
        let rest = vec![0; octets - 34 - 4];
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        let path = [&[12, 0][..], &[0; 32], &[0, 37], &length, &rest].concat();
        RelayPath::new("fe80::547".parse().unwrap(), &path).map(|path| path.octets().len())
    };
    assert_eq!(of_length(MAX_RELAY_PATH_OCTETS), Ok(MAX_RELAY_PATH_OCTETS));
    assert_eq!(of_length(MAX_RELAY_PATH_OCTETS + 1), Err(RelayPathError::TooLong));
}

#[test]
#[should_panic(expected = "addresses stand in an IA_NA")]
fn a_prefix_in_an_ia_na_is_the_callers_error() {
    let mut client = client(1, 1, &["2001:db8:f000::/56"]);
    client.bindings[0].kind = IaKind::Address;
    let _: Result<Seq, _> = Table::default().put(&client);
}
