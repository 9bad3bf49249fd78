//! Whatever happens, in whatever order: what is found is free, and nothing is found only if nothing
//! is free. The model knows no blocks and no runs; it looks at everything that is taken.

use std::collections::BTreeMap;

use lease::{Client, ClientKey, IaKind, Lease, Resource};
use proptest::prelude::*;
use server::assign::{Found, Subscriber};
use wire::Prefix;

use super::{OFFER_SECS, Office, Wish, address, duid, lease, link, prefix, reservation};

const CLIENTS: u32 = 12;
/// Two uplinks that are left out of the prefixes around them, and a link that is not.
const ON_LINK: [&str; 3] = ["2001:db8:100:300::/64", "2001:db8:100:500::/64", "2001:db8:100:601::/64"];
const ON_LINK_WHOLLY: &str = "2001:db8:100:600::/56";
/// Each prefix of this pool leaves out the first /64 of its own; it is configured for the fifth.
const EXCLUDING: &str = "2001:db8:100::/53 by 56 without 2001:db8:100:400::/64";

#[derive(Debug, Clone)]
enum Event {
    /// A client asks, with or without a wish, and is given or only offered what is found.
    Ask {
        client: u32,
        kind: IaKind,
        hint: Option<u16>,
        takes_exclusion: bool,
        given: bool,
    },
    /// A client gives everything back.
    Release {
        client: u32,
    },
    /// A client turns up that holds what no pool gives: from an import, or before a change of pools.
    Import {
        client: u32,
        resource: usize,
    },
    Wait {
        secs: u64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![Just(IaKind::Address), Just(IaKind::Prefix)];
    let ask = (0..CLIENTS, kind, proptest::option::weighted(0.3, 0..200_u16), any::<bool>(), any::<bool>());
    prop_oneof![
        8 => ask.prop_map(|(client, kind, hint, takes_exclusion, given)| {
            Event::Ask { client, kind, hint, takes_exclusion, given }
        }),
        1 => (0..CLIENTS).prop_map(|client| Event::Release { client }),
        1 => (0..CLIENTS, 0..imports().len()).prop_map(|(client, resource)| Event::Import { client, resource }),
        1 => (1..OFFER_SECS).prop_map(|secs| Event::Wait { secs }),
    ]
}

fn imports() -> Vec<Resource> {
    let prefixes =
        ["2001:db8:100:100::/57", "2001:db8:100:140::/60", "2001:db8:100::/54", "2001:db8:110::/47"];
    let addresses = [
        "2001:db8:100:500::1",
        "2001:db8:100:501::1",
        "2001:db8:100:401::1",
        "2001:db8:100:300::1",
        "2001:db8:100:300::4242",
    ];
    prefixes.map(prefix).into_iter().chain(addresses.map(address)).collect()
}

/// All that the pools have, with what is excluded from it.
fn parts(kind: IaKind) -> Vec<Found> {
    let found = |resource| Found { resource, excluded: None };
    let part = |bits: u128, length| Resource::Prefix(Prefix::new(bits.into(), length).unwrap());
    match kind {
        IaKind::Address => {
            let addresses = (0..150_u128)
                .map(|number| Resource::Address(((0x2001_0db8_0100_0300_u128 << 64) + number).into()));
            addresses.filter(|resource| *resource != address("2001:db8:100:300::")).map(found).collect()
        }
        IaKind::Prefix => {
            let narrow = (0..8_u128).map(|number| part((0x2001_0db8_0100_u128 << 80) + (number << 72), 56));
            let wide = (0..128_u128).map(|number| part((0x2001_0db8_0110_u128 << 80) + (number << 74), 54));
            let all = narrow.filter(|resource| *resource != prefix(ON_LINK_WHOLLY)).chain(wide);
            all.map(with_exclusion).collect()
        }
    }
}

/// What a pool gives, with what stays behind of it.
fn with_exclusion(resource: Resource) -> Found {
    let part = resource.prefix().filter(|prefix| prefix.length() == 56);
    Found { resource, excluded: part.map(|part| Prefix::new(part.address(), 64).unwrap()) }
}

/// Held, offered, kept.
struct Model {
    office: Office,
    held: BTreeMap<u32, Vec<Lease>>,
    offered: Vec<(Resource, u32, u64)>,
    secs: u64,
}

impl Model {
    fn new() -> Self {
        let pools = ["2001:db8:100:300:: to 2001:db8:100:300::95", EXCLUDING, "2001:db8:110::/47 by 54"];
        let kept =
            [address("2001:db8:100:300::7"), prefix("2001:db8:100:200::/56"), prefix("2001:db8:111::/48")];
        let reservations = kept.map(|kept| reservation(Subscriber::Client(duid(1000)), &[kept])).to_vec();
        let office = Office::with_reservations(vec![link(&ON_LINK, &pools)], reservations);
        Self { office, held: BTreeMap::new(), offered: Vec::new(), secs: 0 }
    }

    fn is_free(&self, found: Found, client: u32, takes_exclusion: bool) -> bool {
        let kept =
            [address("2001:db8:100:300::7"), prefix("2001:db8:100:200::/56"), prefix("2001:db8:111::/48")];
        let held = self.held.values().flatten();
        let held = held.map(|lease| Found { resource: lease.resource, excluded: lease.excluded });
        let others = self.offered.iter().filter(|(_, whose, until)| *whose != client && *until > self.secs);
        let offered = others.map(|(resource, _, _)| with_exclusion(*resource));
        let mut taken = held.chain(offered);
        (takes_exclusion || found.excluded.is_none())
            && !kept.iter().any(|kept| overlap(found, Found { resource: *kept, excluded: None }))
            && !taken.any(|other| overlap(found, other))
    }

    fn ask(&mut self, client: u32, kind: IaKind, hint: Option<u16>, takes_exclusion: bool) -> Option<Found> {
        let parts = parts(kind);
        let hint = hint.map(|place| parts[usize::from(place) % parts.len()]);
        let detail = |wish: &mut Wish<'_>| {
            (wish.hint, wish.takes_exclusion) = (hint.map(|hint| hint.resource), takes_exclusion);
            // Any length will do, and nothing but the hint itself is said to be better.
            wish.length_hint = Some(0);
        };
        let found = self.office.find(client, kind, detail);
        let again = self.office.find(client, kind, detail);
        assert_eq!(found, again, "the same association finds the same");
        let free: Vec<Found> =
            parts.into_iter().filter(|part| self.is_free(*part, client, takes_exclusion)).collect();
        match found {
            Some(found) => assert!(free.contains(&found), "{found:?} is not free"),
            None => assert!(free.is_empty(), "{:?} is free", free[0]),
        }
        if let Some(hint) = hint.filter(|hint| free.contains(hint)) {
            assert_eq!(found, Some(hint));
        }
        if hint.is_none() && free.iter().any(|free| free.excluded.is_some()) {
            assert!(found.unwrap().excluded.is_some(), "not everybody could have another");
        }
        found
    }

    /// What each client would be given, half of them being able to leave out a part.
    fn ask_all(&mut self) -> Vec<Option<Found>> {
        let kinds = [IaKind::Address, IaKind::Prefix];
        let asked = (0..CLIENTS).flat_map(|client| kinds.map(|kind| (client, kind)));
        asked.map(|(client, kind)| self.ask(client, kind, None, client % 2 == 0)).collect()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Ask { client, kind, hint, takes_exclusion, given } => {
                let Some(found) = self.ask(client, kind, hint, takes_exclusion) else { return };
                if given {
                    self.hold(client, Lease { excluded: found.excluded, ..lease(found.resource) });
                } else {
                    self.office.offer(client, found.resource);
                    self.offered.retain(|(resource, _, _)| *resource != found.resource);
                    self.offered.push((found.resource, client, self.secs + OFFER_SECS));
                }
            }
            Event::Release { client } => {
                self.held.remove(&client);
                self.office.hold(client, &[]);
            }
            Event::Import { client, resource } => self.import(client, lease(imports()[resource])),
            Event::Wait { secs } => {
                self.secs += secs;
                self.office.wait_secs(secs);
            }
        }
    }

    fn hold(&mut self, client: u32, lease: Lease) {
        self.offered.retain(|(resource, _, _)| *resource != lease.resource);
        let held = self.held.entry(client).or_default();
        held.push(lease);
        self.office.hold_leases(client, held.clone());
    }

    /// As far as the table lets it be.
    fn import(&mut self, client: u32, lease: Lease) {
        let mut leases = self.held.get(&client).cloned().unwrap_or_default();
        leases.push(lease);
        let key = ClientKey { link: self.office.links[0].id, duid: duid(client) };
        let record: Client = super::record(key, leases.clone());
        let free = self.held.values().flatten().all(|held| {
            let held = Found { resource: held.resource, excluded: held.excluded };
            !overlap(held, Found { resource: lease.resource, excluded: None })
        });
        if free {
            assert!(self.office.table.put(&record).is_ok());
            self.hold(client, lease);
        }
    }
}

/// Whether two cannot both be given: one lies in the other, and not in what the other excludes.
fn overlap(a: Found, b: Found) -> bool {
    let inside = |inner: Resource, outer: Found| match (inner, outer.resource) {
        (Resource::Address(inner), Resource::Address(outer)) => inner == outer,
        (Resource::Address(inner), Resource::Prefix(prefix)) => {
            prefix.contains(inner) && !outer.excluded.is_some_and(|part| part.contains(inner))
        }
        (Resource::Prefix(inner), Resource::Prefix(outer)) => outer.covers(inner),
        (Resource::Prefix(_), Resource::Address(_)) => false,
    };
    inside(a.resource, b) || inside(b.resource, a)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    // DH-L-10, DH-L-12, DH-S-15
    #[test]
    fn what_is_found_is_free_and_what_is_free_is_found(events in proptest::collection::vec(event(), 1..300)) {
        let mut model = Model::new();
        events.into_iter().for_each(|event| model.happen(event));
        // When no offer is left, a server that has just started says the same.
        model.happen(Event::Wait { secs: OFFER_SECS });
        let before = model.ask_all();
        model.office.restart();
        prop_assert_eq!(before, model.ask_all());
    }
}
