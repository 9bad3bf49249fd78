//! Random words, Releases, commands and epochs against a model that is a plain list.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use relay::{
    Changed, Delegation, DelegationRef, Delegations, Filter, Limits, Moment, PortId, Ports, ServerId, Teller,
    Verdict, learn,
};
use requestor::Lifetime;
use wire::{IaKind, Iaid, MessageType, Prefix};
use world::Instant;

use crate::exchanges::{duid, ia, message};

const LIMITS: Limits = Limits { per_client: 2, per_port: 4 };

/// A word on a prefix, by numbers.
#[derive(Debug, Clone)]
struct Word {
    prefix: u8,
    client: u8,
    port: usize,
    iaid: u32,
    next_hop: u8,
    valid_secs: u32,
    /// How long before now it was heard; `None` is unknown.
    age_secs: Option<u64>,
    told_by: Teller,
}

#[derive(Debug, Clone)]
enum Step {
    Word(Word),
    Release { client: u8, port: usize, iaid: u32, named: Vec<u8>, declines: bool },
    End(u8),
    Clear(u8, usize),
    Pass(u64),
    Begin,
    EndEpoch(usize),
    Abandon,
}

fn word() -> impl Strategy<Value = Word> {
    let told_by = prop_oneof![
        3 => Just(Teller::Reply),
        3 => (0_u16..2).prop_map(|server| Teller::Server(ServerId(server))),
        1 => Just(Teller::Memory),
    ];
    let valid_secs = prop_oneof![Just(0), 1_u32..60, Just(u32::MAX)];
    let age_secs = prop_oneof![4 => (0_u64..40).prop_map(Some), 1 => Just(None)];
    let (prefix, client, port) = (0_u8..10, 0_u8..4, 0_usize..2);
    (prefix, client, port, 0_u32..2, 0_u8..2, valid_secs, age_secs, told_by).prop_map(
        |(prefix, client, port, iaid, next_hop, valid_secs, age_secs, told_by)| Word {
            prefix,
            client,
            port,
            iaid,
            next_hop,
            valid_secs,
            age_secs,
            told_by,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let named = prop::collection::vec(0_u8..10, 0..3);
    prop_oneof![
        12 => word().prop_map(Step::Word),
        3 => (0_u8..4, 0_usize..2, 0_u32..2, named, any::<bool>()).prop_map(
            |(client, port, iaid, named, declines)| Step::Release { client, port, iaid, named, declines }
        ),
        1 => (0_u8..10).prop_map(Step::End),
        1 => (0_u8..4, 0_usize..3).prop_map(|(client, port)| Step::Clear(client, port)),
        3 => (0_u64..12).prop_map(Step::Pass),
        1 => Just(Step::Begin),
        1 => (0_usize..3).prop_map(Step::EndEpoch),
        1 => Just(Step::Abandon),
    ]
}

/// The even ones are prefixes, the odd ones addresses.
fn kind_of(number: u8) -> IaKind {
    if number.is_multiple_of(2) { IaKind::Prefix } else { IaKind::Address }
}

fn prefix_of(number: u8) -> Prefix {
    let length = if kind_of(number) == IaKind::Prefix { 56 } else { 128 };
    Prefix::new(((0x2001_0db8_u128 << 96) | (u128::from(number) << 72)).into(), length).expect("128 at most")
}

#[derive(Debug, Clone)]
struct Entry {
    held: Delegation,
    confirmed: bool,
}

impl Entry {
    fn is_of(&self, client: u8, port: PortId) -> bool {
        self.held.client == duid(client) && self.held.port == port
    }
}

/// The same, naively. Ends are for ever remembered here: no run takes as long as a grave lasts.
struct Model {
    entries: Vec<Entry>,
    graves: Option<Vec<Entry>>,
    unique: bool,
}

impl Model {
    fn end(&mut self, heard: Moment, ending: impl Fn(&Entry) -> bool) {
        for entry in self.entries.extract_if(.., |entry| ending(entry)) {
            if let Some(graves) = &mut self.graves {
                graves.retain(|grave| grave.held.prefix != entry.held.prefix);
                graves.push(Entry { held: Delegation { heard, ..entry.held }, ..entry });
            }
        }
    }

    fn bury_unknown(&mut self, word: &Delegation) {
        if let Some(graves) = &mut self.graves
            && graves.iter().all(|grave| grave.held.prefix != word.prefix)
        {
            graves.push(Entry { held: word.clone(), confirmed: false });
        }
    }

    fn learn(&mut self, word: Delegation, now: Instant) {
        let is_reply = word.told_by == Teller::Reply;
        let position = self.entries.iter().position(|entry| entry.held.prefix == word.prefix);
        if let Some(position) = position {
            let known = &mut self.entries[position];
            known.confirmed |= matches!(word.told_by, Teller::Server(_));
            if !is_newer(&word, &known.held) {
                return;
            }
        }
        let same_holder = |held: &Delegation| held.client == word.client && held.port == word.port;
        let mut graves = self.graves.iter().flatten();
        if !is_reply
            && graves.any(|grave| {
                grave.held.prefix == word.prefix && same_holder(&grave.held) && word.heard <= grave.held.heard
            })
        {
            return;
        }
        let theirs = position.is_some_and(|position| same_holder(&self.entries[position].held));
        if word.valid <= Lifetime::Until(now) {
            if theirs {
                self.end(word.heard, |entry| entry.held.prefix == word.prefix);
            } else if is_reply {
                self.bury_unknown(&word);
            }
            return;
        }
        if self.unique {
            let elsewhere = |held: &Delegation| held.client == word.client && held.port != word.port;
            let mut others = self.entries.iter().filter(|entry| elsewhere(&entry.held));
            if !is_reply && others.any(|entry| entry.held.heard >= word.heard) {
                return;
            }
            self.end(word.heard, |entry| elsewhere(&entry.held) && entry.held.prefix != word.prefix);
        }
        if theirs {
            let known = &mut self.entries[position.expect("it is theirs")];
            known.confirmed |= word.told_by != Teller::Memory;
            let (heard, iaid) = (word.heard.max(known.held.heard), word.iaid.or(known.held.iaid));
            known.held = Delegation { heard, iaid, ..word };
            return;
        }
        self.end(word.heard, |entry| entry.held.prefix == word.prefix);
        let alike = || self.entries.iter().filter(|entry| entry.held.kind == word.kind);
        let of_client = alike().filter(|entry| same_holder(&entry.held)).count();
        let on_port = alike().filter(|entry| entry.held.port == word.port).count();
        if of_client < LIMITS.per_client && on_port < LIMITS.per_port {
            if let Some(graves) = &mut self.graves {
                graves.retain(|grave| grave.held.prefix != word.prefix);
            }
            self.entries.push(Entry { confirmed: word.told_by != Teller::Memory, held: word });
        }
    }

    fn sorted(&self) -> Vec<Delegation> {
        let mut held: Vec<_> = self.entries.iter().map(|entry| entry.held.clone()).collect();
        held.sort_by_key(|held| held.prefix);
        held
    }
}

fn is_newer(word: &Delegation, known: &Delegation) -> bool {
    let earlier = known.heard > word.heard;
    let second_earlier = known.heard > word.heard.plus(Duration::from_secs(1));
    match (word.told_by, known.told_by) {
        (Teller::Reply, _) => true,
        (Teller::Server(a), Teller::Server(b)) if a == b => !second_earlier,
        (Teller::Server(_), Teller::Server(_) | Teller::Memory) => !earlier,
        _ => word.heard > known.heard,
    }
}

struct Run {
    table: Delegations,
    model: Model,
    /// What somebody believes who hears of changes only.
    follower: BTreeMap<Prefix, Delegation>,
    ports: [PortId; 2],
    now: Instant,
}

impl Run {
    fn new(unique: bool) -> Self {
        let mut names = Ports::default();
        let mut table = Delegations::default();
        table.set_unique_duids(unique);
        Self {
            table,
            model: Model { entries: Vec::new(), graves: None, unique },
            follower: BTreeMap::new(),
            ports: [b"eth1", b"eth2"].map(|name| names.intern(name).expect("there is room")),
            now: Instant::since_start(Duration::from_secs(1000)),
        }
    }

    fn delegation(&self, word: &Word) -> Delegation {
        let is_reply = word.told_by == Teller::Reply;
        let heard = match word.age_secs {
            _ if is_reply => self.now.into(),
            Some(age_secs) => Moment::before(self.now, Duration::from_secs(age_secs)),
            None => Moment::UNKNOWN,
        };
        Delegation {
            prefix: prefix_of(word.prefix),
            kind: kind_of(word.prefix),
            client: duid(word.client),
            iaid: is_reply.then_some(Iaid(word.iaid)),
            port: self.ports[word.port],
            next_hop: u128::from(word.next_hop).into(),
            preferred: Lifetime::from_secs(word.valid_secs, self.now),
            valid: Lifetime::from_secs(word.valid_secs, self.now),
            heard,
            told_by: word.told_by,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Word(word) => self.word(word),
            Step::Release { client, port, iaid, named, declines } => {
                self.release(*client, self.ports[*port], *iaid, named, *declines);
            }
            Step::End(number) => {
                let prefix = prefix_of(*number);
                self.table.end(prefix, self.now);
                self.model.end(self.now.into(), |entry| entry.held.prefix == prefix);
            }
            Step::Clear(client, port) => {
                let (client, port) = (duid(*client), self.ports.get(*port).copied());
                let filter = match port {
                    Some(port) => Filter::ClientOnPort(client.clone(), port),
                    None => Filter::Client(client.clone()),
                };
                while self.table.clear(&filter, self.now, 1) > 0 {}
                self.model.end(self.now.into(), |entry| {
                    entry.held.client == client && port.is_none_or(|port| entry.held.port == port)
                });
            }
            Step::Pass(secs) => {
                self.now = self.now + Duration::from_secs(*secs);
                self.table.expire(self.now, usize::MAX);
                self.model.entries.retain(|entry| entry.held.valid > Lifetime::Until(self.now));
            }
            Step::Begin => {
                self.table.begin_epoch();
                self.model.entries.iter_mut().for_each(|entry| entry.confirmed = false);
                self.model.graves.get_or_insert_default();
            }
            Step::EndEpoch(spared) => self.end_epoch(self.ports.get(*spared).copied()),
            Step::Abandon => {
                self.table.abandon_epoch();
                self.model.graves = None;
            }
        }
    }

    fn word(&mut self, word: &Word) {
        let delegation = self.delegation(word);
        let before = self.model.sorted();
        let verdict = match word.told_by {
            Teller::Reply => self.table.grant(delegation.clone(), LIMITS, self.now),
            _ => self.table.hear(delegation.clone(), LIMITS, self.now),
        };
        assert_ne!(verdict, Verdict::Withheld, "so much does not end here");
        self.model.learn(delegation.clone(), self.now);
        for gone in before.into_iter().filter(|held| self.table.get(held.prefix).is_none()) {
            let theirs =
                gone.client == delegation.client && (self.model.unique || gone.port == delegation.port);
            assert!(theirs || gone.prefix == delegation.prefix, "somebody else's: {gone:?}");
        }
    }

    fn release(&mut self, client: u8, port: PortId, iaid: u32, named: &[u8], declines: bool) {
        let message_type = if declines { MessageType::Decline } else { MessageType::Release };
        let octets = message(message_type, &duid(client), |w| {
            for kind in [IaKind::Prefix, IaKind::Address] {
                let leases = named.iter().filter(|number| kind_of(**number) == kind);
                let leases: Vec<_> = leases.map(|number| (prefix_of(*number), 0, 0)).collect();
                if !leases.is_empty() {
                    ia(w, kind, iaid, &leases);
                }
            }
        });
        let released = learn::released(&octets).expect("it gives back");
        self.table.release(port, &released, self.now);

        let meant = |number: &&u8| !declines || kind_of(**number) == IaKind::Address;
        let prefixes: Vec<Prefix> = named.iter().filter(meant).map(|number| prefix_of(*number)).collect();
        for prefix in &prefixes {
            if self.model.entries.iter().all(|entry| entry.held.prefix != *prefix) {
                let number = named.iter().find(|number| prefix_of(**number) == *prefix).expect("it is named");
                let word = Word {
                    prefix: *number,
                    client,
                    port: usize::from(port != self.ports[0]),
                    iaid,
                    next_hop: 0,
                    valid_secs: 0,
                    age_secs: None,
                    told_by: Teller::Reply,
                };
                self.model.bury_unknown(&self.delegation(&word));
            }
        }
        let whole = !declines && named.iter().any(|number| kind_of(*number) == IaKind::Prefix);
        self.model.end(self.now.into(), |entry| {
            let held = &entry.held;
            let in_whole = whole && held.kind == IaKind::Prefix && held.iaid == Some(Iaid(iaid));
            entry.is_of(client, port) && (in_whole || prefixes.contains(&held.prefix))
        });
    }

    fn end_epoch(&mut self, spared: Option<PortId>) {
        if !self.table.epoch_is_running() {
            return;
        }
        let before = self.model.entries.len();
        self.model.entries.retain(|entry| entry.confirmed || Some(entry.held.port) == spared);
        self.model.graves = None;
        let end = self.table.end_epoch(|held| Some(held.port) != spared);
        assert_eq!((end.swept, end.withheld), (before - self.model.entries.len(), 0));
    }

    /// Every look at the table shows the same, and it is what the model has.
    fn check(&mut self) {
        let model = self.model.sorted();
        let owned = |held: DelegationRef<'_>| held.to_delegation();
        assert_eq!(self.table.all(None).map(owned).collect::<Vec<_>>(), model);
        assert_eq!(self.table.counts().total(), model.len());
        for port in self.ports {
            let there: Vec<_> = model.iter().filter(|held| held.port == port).cloned().collect();
            assert_eq!(self.table.on_port(port, None).map(owned).collect::<Vec<_>>(), there);
            for kind in [IaKind::Address, IaKind::Prefix] {
                let count = there.iter().filter(|held| held.kind == kind).count();
                assert_eq!(self.table.counts_on_port(port).of(kind), count);
                assert!(count <= LIMITS.per_port);
            }
        }
        for client in 0..4 {
            let mut its: Vec<_> = model.iter().filter(|held| held.client == duid(client)).cloned().collect();
            its.sort_by_key(|held| (held.port, held.prefix));
            assert_eq!(self.table.of_client(duid(client).as_ref(), None).map(owned).collect::<Vec<_>>(), its);
        }
        let ends = model.iter().filter_map(|held| match held.valid {
            Lifetime::Until(end) => Some(end),
            Lifetime::Forever => None,
        });
        assert_eq!(self.table.next_expiry(), ends.min());
        self.follow(&model);
    }

    /// Whoever follows the changes has the way of everything, and its end but for what is cut to seconds.
    fn follow(&mut self, model: &[Delegation]) {
        while self.table.has_changed() {
            for Changed { prefix, .. } in self.table.take_changed(2) {
                match self.table.get(prefix) {
                    Some(held) => _ = self.follower.insert(prefix, held.to_delegation()),
                    None => _ = self.follower.remove(&prefix),
                }
            }
        }
        let way = |held: &Delegation| (held.prefix, held.client.clone(), held.port, held.next_hop);
        let followed: Vec<_> = self.follower.values().map(way).collect();
        assert_eq!(followed, model.iter().map(way).collect::<Vec<_>>());
    }
}

// PDR-03..PDR-12, PDR-34
proptest! {
    #[test]
    fn the_table_does_as_a_list_would(steps in prop::collection::vec(step(), 1..120), unique in any::<bool>()) {
        let mut run = Run::new(unique);
        for step in &steps {
            run.take(step);
            run.check();
        }
    }
}
