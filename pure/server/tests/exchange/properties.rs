//! Many clients at once, in any order: whatever they send and whenever time passes, nobody is told
//! of what is somebody else's.
//!
//! The model knows only what clients have been told. It is small: a lease is a client's from the
//! Reply that tells of it until its valid lifetime is over, or until the client or a Reply ends it.

use std::collections::BTreeMap;

use lease::{
    Client as Held, ClientKey, IaKind, InTurn, Lease, LeaseState, LinkId, Records, Resource, Seq, Table,
};
use server::exchange::Ended;
use wire::{MessageType, Prefix};
use world::Chance;

use crate::kit::{Client, Datagram, Draft, Relay, Server, Site, Told, pool, prefix, resource, shared};

const RUNS: u64 = 40;
const STEPS: usize = 400;
/// Steps between two looks at whether what was stored is what is held.
const STEPS_UNTIL_RELOADED: u64 = 8;
const CLIENTS: u64 = 10;
const DECLINE_REST_SECS: u32 = 900;
/// What stays behind of 2001:db8:f000:100::/56.
const UPLINK: &str = "2001:db8:f000:10f::/64";

/// Small pools, so that everything is scarce: with reservations, an exclusion in each of some
/// prefixes, prefixes of two lengths, addresses on an uplink, and a link that answers Rapid Commit.
fn site() -> Site {
    Site::usual().but(|site| {
        site.link(1).address_pools = vec![pool("2001:db8:1::1:100", "2001:db8:1::1:109")];
        site.link(2).address_pools = vec![pool("2001:db8:2::1:100", "2001:db8:2::1:105")];
        site.link(1).prefixes.push(prefix(UPLINK));
        site.link(1).address_pools.push(pool("2001:db8:f000:10f::100", "2001:db8:f000:10f::103"));
        site.link(1).delegation_pools = vec![
            shared("2001:db8:f000::/54", 56),
            shared("2001:db8:f000:400::/54", 56),
            shared("2001:db8:f001::/57", 60),
        ];
        site.link(1).delegation_pools[0].excluded = Some(prefix("2001:db8:f000:f::/64"));
        // The same prefixes as on link 1, in larger parts.
        site.link(2).delegation_pools = vec![shared("2001:db8:f000::/52", 54)];
        site.terms(2).rapid_commit = true;
        site.rules.decline_rest_secs = DECLINE_REST_SECS;
        site.rules.remember_secs = 4000;
        site.rules.max_leases_per_client = 5;
        let first = server::assign::Subscriber::Client(Client::new(1).duid);
        site.keep(first, "2001:db8:1::77");
        let second = server::assign::Subscriber::Client(Client::new(2).duid);
        site.keep(second, "2001:db8:f000:200::/56");
    })
}

/// What a client has been told that it has.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Believed {
    client: u64,
    kind: IaKind,
    iaid: u32,
    resource: Resource,
    excluded: Option<Prefix>,
    until_unix_secs: u64,
}

struct Scenario {
    chance: Chance,
    server: Server,
    clients: Vec<Client>,
    believed: Vec<Believed>,
    resting: Vec<(Resource, u64)>,
    /// What a store would have.
    stored: BTreeMap<Vec<u8>, Box<[u8]>>,
    answers: usize,
}

// DH-R-07, DH-L-10, DH-L-12, DH-L-16, DH-L-18, DH-R-42, DH-R-48, DH-R-50, DH-T-08
#[test]
fn nobody_is_told_of_what_is_somebody_elses() {
    let mut answers = 0;
    for seed in 0..RUNS {
        let mut scenario = Scenario::new(seed);
        for _ in 0..STEPS {
            scenario.step();
        }
        answers += scenario.answers;
    }
    assert!(answers > RUNS as usize * STEPS / 3, "only {answers} answers");
}

impl Scenario {
    fn new(seed: u64) -> Self {
        let clients = (0..CLIENTS).map(|number| Client::new(number as u16)).collect();
        Self {
            chance: Chance::from_seed(seed),
            server: site().open(),
            clients,
            believed: Vec::new(),
            resting: Vec::new(),
            stored: BTreeMap::new(),
            answers: 0,
        }
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.chance.below(bound) == 0
    }

    fn step(&mut self) {
        match self.chance.below(40) {
            0 => self.time_passes(),
            1 => self.operator_releases(),
            2 if self.one_in(5) => self.server_restarts(),
            _ => self.client_sends(),
        }
        self.commit();
    }

    fn time_passes(&mut self) {
        let secs = 1 + self.chance.below(3000);
        if self.one_in(3) {
            self.server.wait(secs);
        } else {
            let ended = self.server.pass(secs);
            assert!(ended.iter().all(|Ended { changes, .. }| !changes.is_empty()));
        }
        let now = self.server.now().unix_secs;
        self.believed.retain(|lease| lease.until_unix_secs > now);
        self.resting.retain(|(_, until)| *until > now);
    }

    fn operator_releases(&mut self) {
        let (number, link) = (self.chance.below(CLIENTS), 1 + self.chance.below(2) as u32);
        let key = ClientKey { link: LinkId(link), duid: self.clients[number as usize].duid.clone() };
        let now = self.server.now();
        let Server { exchanges, holdings, .. } = &mut self.server;
        let ended = exchanges.release(key, holdings, now, |_| true).unwrap();
        let gone = |lease: &Believed| ended.changes.iter().any(|change| change.resource == lease.resource);
        self.believed.retain(|lease| lease.client != number || !gone(lease));
    }

    /// Nothing is left but what was stored.
    fn server_restarts(&mut self) {
        self.commit();
        let elapsed = self.server.now();
        let mut server = site().open_with(self.reloaded());
        server.wait(elapsed.instant.since(world::Instant::default()).as_secs());
        self.server = server;
    }

    fn reloaded(&self) -> Table {
        let mut records = Records::default();
        self.stored.values().for_each(|image| records.push(image).unwrap());
        Table::load(records, &InTurn).expect("nothing is held twice")
    }

    /// What is handed out to be stored is what is held.
    fn commit(&mut self) {
        for after in self.server.holdings.table.take_batch() {
            match after.image {
                Some(image) => _ = self.stored.insert(after.key, image),
                None => _ = self.stored.remove(&after.key),
            }
        }
        if self.one_in(STEPS_UNTIL_RELOADED) {
            assert_eq!(everybody(&self.reloaded()), everybody(&self.server.holdings.table));
        }
        self.assert_exclusive();
    }

    /// Of all leases that are somebody's, no two overlap.
    fn assert_exclusive(&self) {
        let all = everybody(&self.server.holdings.table);
        let leases = all.iter().flat_map(|client| {
            let leases = client.bindings.iter().flat_map(|binding| &binding.leases);
            leases.filter(|lease| lease.state.occupies()).map(move |lease| (&client.key, lease))
        });
        let leases: Vec<_> = leases.collect();
        for (index, (key, lease)) in leases.iter().enumerate() {
            for (other_key, other) in &leases[index + 1..] {
                let apart = !overlap(lease.resource, lease.excluded, other.resource, other.excluded);
                assert!(apart, "{key:?} {lease:?}\n{other_key:?} {other:?}");
            }
        }
    }

    fn client_sends(&mut self) {
        let number = self.chance.below(CLIENTS);
        let (draft, named) = self.draft(number);
        let message_type = draft.message_type;
        let datagram = self.on_the_way(draft);
        let before = self.server.holdings.table.last_seq();
        let received = self.server.receive(&datagram);
        let changed = self.server.holdings.table.last_seq() != before;
        self.given_up(number, message_type, &named);
        let Ok((octets, answered)) = received else {
            assert!(!changed, "a discarded message has changed something");
            return;
        };
        self.answers += 1;
        let told = Told::read(&datagram.octets, &octets, answered);
        assert!(changed || told.answered.changes.is_empty(), "{told:?}");
        self.take(number, &told);
    }

    /// Any message with any associations, and the leases that it names.
    fn draft(&mut self, number: u64) -> (Draft, Vec<(IaKind, u32, Resource)>) {
        const TYPES: [MessageType; 12] = [
            MessageType::Solicit,
            MessageType::Solicit,
            MessageType::Request,
            MessageType::Request,
            MessageType::Request,
            MessageType::Renew,
            MessageType::Renew,
            MessageType::Rebind,
            MessageType::Release,
            MessageType::Decline,
            MessageType::Confirm,
            MessageType::InformationRequest,
        ];
        let message_type = TYPES[self.chance.below(TYPES.len() as u64) as usize];
        let excludes = self.one_in(3);
        let client = &mut self.clients[number as usize];
        client.wants = if excludes { vec![67] } else { vec![] };
        let mut draft = client.message(message_type);
        if self.one_in(2) {
            draft = draft.rapid_commit();
        }
        let mut named = Vec::new();
        let most = if message_type == MessageType::InformationRequest { 0 } else { 3 };
        for _ in 0..self.chance.below(most + 1) {
            let kind = if self.one_in(2) { IaKind::Address } else { IaKind::Prefix };
            let iaid = self.chance.below(3) as u32;
            let wishes: Vec<Resource> =
                (0..self.chance.below(3)).map(|_| self.wish(number, kind, iaid)).collect();
            named.extend(wishes.iter().map(|wish| (kind, iaid, *wish)));
            draft = draft.ia(kind, iaid, &wishes);
        }
        (draft, named)
    }

    fn wish(&mut self, number: u64, kind: IaKind, iaid: u32) -> Resource {
        let own = |lease: &&Believed| lease.client == number && lease.kind == kind && lease.iaid == iaid;
        let own: Vec<Resource> = self.believed.iter().filter(own).map(|lease| lease.resource).collect();
        let of_kind = self.believed.iter().filter(|lease| lease.kind == kind);
        let of_anybody: Vec<Resource> = of_kind.map(|lease| lease.resource).collect();
        let chance = &mut self.chance;
        let mut pick = |from: &[Resource]| from.get(chance.below(from.len().max(1) as u64) as usize).copied();
        let known = pick(&own).or_else(|| pick(&of_anybody)).filter(|_| chance.below(4) > 0);
        let known = if chance.below(5) == 0 { pick_any(chance, &of_anybody).or(known) } else { known };
        known.unwrap_or_else(|| self.wish_for_anything(kind))
    }

    fn wish_for_anything(&mut self, kind: IaKind) -> Resource {
        let last = self.chance.below(12);
        resource(&match (kind, self.chance.below(4)) {
            (IaKind::Address, 0) => "2001:db8:bad::1".to_owned(),
            (IaKind::Address, 1) => "2001:db8:1::77".to_owned(),
            (IaKind::Address, 2) if last < 4 => format!("2001:db8:f000:10f::10{last:x}"),
            (IaKind::Address, 2) => format!("2001:db8:2::1:10{last:x}"),
            (IaKind::Address, _) => format!("2001:db8:1::1:10{last:x}"),
            (IaKind::Prefix, 0) => format!("::/{}", 50 + last),
            (IaKind::Prefix, 1) => format!("2001:db8:f000:{:x}00::/54", last & 0xc),
            (IaKind::Prefix, 2) => format!("2001:db8:f001:{last:x}0::/60"),
            (IaKind::Prefix, _) => format!("2001:db8:f000:{last:x}00::/56"),
        })
    }

    /// Directly, or through one relay or two.
    fn on_the_way(&mut self, draft: Draft) -> Datagram {
        let link = 1 + self.chance.below(2);
        let near =
            Relay::at(&format!("2001:db8:{link}::1")).remote_id(&format!("port {}", self.chance.below(3)));
        match self.chance.below(4) {
            0 => draft.through(&[&near]),
            1 => draft.through(&[&Relay::at("::").interface_id("ldra"), &near]),
            _ => draft.on(if link == 1 { "lan1" } else { "lan2" }),
        }
    }

    /// Who releases or declines stops using.
    fn given_up(&mut self, number: u64, message_type: MessageType, named: &[(IaKind, u32, Resource)]) {
        if !matches!(message_type, MessageType::Release | MessageType::Decline) {
            return;
        }
        let is_named = |lease: &Believed| {
            named.contains(&(lease.kind, lease.iaid, lease.resource)) && lease.client == number
        };
        let declines = |lease: &Believed| {
            message_type == MessageType::Decline && lease.kind == IaKind::Address && is_named(lease)
        };
        let declined: Vec<Resource> =
            self.believed.iter().filter(|lease| declines(lease)).map(|lease| lease.resource).collect();
        let all = everybody(&self.server.holdings.table);
        let leases = all.iter().flat_map(|client| &client.bindings).flat_map(|binding| &binding.leases);
        // Declined on the link where it was given, it rests; elsewhere nobody knows of it.
        let rests = leases.filter(|lease| lease.state == LeaseState::Declined).map(|lease| lease.resource);
        let until = self.server.now().unix_secs + u64::from(DECLINE_REST_SECS);
        let declined = rests.filter(|resource| declined.contains(resource)).map(|resource| (resource, until));
        self.resting.extend(declined);
        self.believed.retain(|lease| !is_named(lease));
    }

    /// What the client makes of an answer, and whether it may.
    fn take(&mut self, number: u64, told: &Told) {
        let now = self.server.now().unix_secs;
        for ia in &told.ias {
            for lease in &ia.leases {
                let own = |it: &Believed| it.client == number && it.resource == lease.resource;
                if lease.valid_secs == 0 {
                    self.believed.retain(|it| !own(it));
                    continue;
                }
                // Who does not ask is not told again what stays behind.
                let excluded = lease.excluded.or_else(|| self.held(number, lease.resource, told)?.excluded);
                self.assert_free(number, lease.resource, excluded, told);
                if told.message_type == MessageType::Advertise {
                    continue;
                }
                self.assert_held(number, ia.kind, ia.iaid.0, lease, told);
                self.believed.retain(|it| !own(it));
                self.believed.push(Believed {
                    client: number,
                    kind: ia.kind,
                    iaid: ia.iaid.0,
                    resource: lease.resource,
                    excluded,
                    until_unix_secs: now + u64::from(lease.valid_secs),
                });
            }
        }
    }

    fn assert_free(&self, number: u64, resource: Resource, excluded: Option<Prefix>, told: &Told) {
        let others = self.believed.iter().filter(|lease| lease.client != number);
        for other in others {
            assert!(!overlap(resource, excluded, other.resource, other.excluded), "{other:?} and {told:?}");
        }
        assert!(!self.resting.iter().any(|(resting, _)| *resting == resource), "{resource} rests: {told:?}");
    }

    /// The lease of a resource that a client has on the link that it was answered on.
    fn held(&self, number: u64, resource: Resource, answer: &Told) -> Option<Lease> {
        let duid = self.clients[number as usize].duid.clone();
        let client = self.server.holdings.table.client(&ClientKey { link: answer.answered.link?, duid })?;
        client.leases().map(|held| held.lease).find(|lease| lease.resource == resource)
    }

    fn assert_held(&self, number: u64, kind: IaKind, iaid: u32, told: &crate::kit::ToldLease, answer: &Told) {
        let now = self.server.now().unix_secs;
        let key = ClientKey {
            link: answer.answered.link.unwrap(),
            duid: self.clients[number as usize].duid.clone(),
        };
        let client = self.server.holdings.table.client(&key).expect("the client is known");
        let mut held = client.leases().filter(|held| (held.kind, held.iaid.0) == (kind, iaid));
        let held = held.find(|held| held.lease.resource == told.resource).expect("the lease is held").lease;
        assert_eq!(held.state, LeaseState::Active);
        assert!(told.excluded.is_none() || held.excluded == told.excluded, "{held:?} and {answer:?}");
        assert_eq!(held.valid_remaining_secs(now), told.valid_secs);
        assert_eq!(held.preferred_remaining_secs(now), told.preferred_secs);
    }
}

fn pick_any(chance: &mut Chance, from: &[Resource]) -> Option<Resource> {
    from.get(chance.below(from.len().max(1) as u64) as usize).copied()
}

fn everybody(table: &Table) -> Vec<Held> {
    let mut all: Vec<Held> = table.changed_since(Seq(0)).map(|(_, client)| client.to_client()).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

/// Whether two leases have an address in common; what a delegation excludes is not of it.
fn overlap(a: Resource, a_excluded: Option<Prefix>, b: Resource, b_excluded: Option<Prefix>) -> bool {
    let excludes = |excluded: Option<Prefix>, other: Prefix| excluded.is_some_and(|part| part.covers(other));
    let span = |resource| match resource {
        Resource::Address(address) => Prefix::new(address, 128).unwrap(),
        Resource::Prefix(prefix) => prefix,
    };
    let (a, b) = (span(a), span(b));
    a.overlaps(b) && !excludes(a_excluded, b) && !excludes(b_excluded, a)
}
