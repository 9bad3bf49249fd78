//! Customers, servers, a kernel and an operator do as they please, in any order. When it is quiet, the relay
//! holds what the servers have delegated through it and the kernel has the routes for that; and on the way
//! there no route goes of a lease that is active, none comes back of what was given back, and strangers are
//! left alone.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use relay::{Change, Owner, Target};
use wire::{MessageType, Prefix};

use super::kernel;
use super::site::{Customer, Site, Talk};
use super::upstream::VALID_SECS;

const SERVERS: usize = 2;
const LINKS: [u16; 2] = [1, 2];
/// How long an answer is on its way at most, in one step.
const ON_ITS_WAY_SECS: u64 = 5;
/// The same, in some steps.
const LATE_SECS: u64 = 100;

/// Two share a link, and two a DUID.
fn customers() -> Vec<Customer> {
    [(1, 1), (2, 1), (1, 2), (3, 2)].map(|(number, link)| Customer::new(number, link)).to_vec()
}

#[derive(Debug, Clone)]
enum Step {
    /// A customer asks a server for what it has there, or else for something.
    Request(usize, usize),
    Renew(usize, usize),
    Release(usize, usize),
    /// The same while nobody listens but the server.
    ReleaseUnheard(usize, usize),
    Restart {
        remembers: bool,
        is_flushed: bool,
    },
    /// A server comes or goes, with its connections.
    Outage(usize, bool),
    Ask(usize),
    Answer(usize),
    Hear(usize, usize),
    Finish(usize),
    Refresh,
    Pass(u64),
    Down(u16),
    Up(u16),
    /// A port goes, and with it its routes.
    Gone(u16),
    /// It is there again, under another number.
    Back(u16),
    /// Somebody puts a route where one of ours would be, if there is none.
    Stranger(usize, usize),
    StrangersLeave,
}

fn step() -> impl Strategy<Value = Step> {
    let who = || (0..4_usize, 0..SERVERS);
    let server = || 0..SERVERS;
    let link = || prop::sample::select(&LINKS[..]);
    prop_oneof![
        6 => who().prop_map(|(c, s)| Step::Request(c, s)),
        3 => who().prop_map(|(c, s)| Step::Renew(c, s)),
        3 => who().prop_map(|(c, s)| Step::Release(c, s)),
        1 => who().prop_map(|(c, s)| Step::ReleaseUnheard(c, s)),
        2 => any::<(bool, bool)>().prop_map(|(remembers, is_flushed)| Step::Restart { remembers, is_flushed }),
        1 => (server(), any::<bool>()).prop_map(|(s, is_up)| Step::Outage(s, is_up)),
        3 => server().prop_map(Step::Ask),
        3 => server().prop_map(Step::Answer),
        3 => (server(), 1..200_usize).prop_map(|(s, octets)| Step::Hear(s, octets)),
        3 => server().prop_map(Step::Finish),
        1 => Just(Step::Refresh),
        3 => (1..100_u64).prop_map(Step::Pass),
        1 => (300..700_u64).prop_map(Step::Pass),
        1 => link().prop_map(Step::Down),
        2 => link().prop_map(Step::Up),
        1 => link().prop_map(Step::Gone),
        2 => link().prop_map(Step::Back),
        1 => who().prop_map(|(c, s)| Step::Stranger(c, s)),
        1 => Just(Step::StrangersLeave),
    ]
}

/// Who has a prefix on which link, and until when (in seconds since 1970).
type Leases = BTreeMap<Prefix, (wire::Duid, u16, u64)>;

struct World {
    site: Site,
    customers: Vec<Customer>,
    talks: [Option<Talk>; SERVERS],
    strangers: BTreeSet<Prefix>,
    /// Ports that are gone.
    gone: Vec<relay::Port>,
    /// What was given back in the relay's and the server's hearing, and not delegated since.
    given_back: BTreeSet<Prefix>,
    /// What was given back and is a lease all the same, because the server was not there.
    unanswered: BTreeSet<Prefix>,
    seen_changes: usize,
    next_index: u32,
}

impl World {
    fn new() -> Self {
        Self {
            site: Site::new(SERVERS as u8),
            customers: customers(),
            talks: [None, None],
            strangers: BTreeSet::new(),
            gone: Vec::new(),
            given_back: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            seen_changes: 0,
            next_index: 100,
        }
    }

    /// What the servers have delegated.
    fn leases(&self) -> Leases {
        let now = self.site.now();
        let leases = self.site.servers.iter().flat_map(|server| server.leases(now));
        leases.map(|(prefix, duid, link, end)| (prefix, (duid, link, end))).collect()
    }

    /// What a customer has from a server.
    fn lease_of(&self, customer: usize, server: usize) -> Option<Prefix> {
        let customer = &self.customers[customer];
        let mut leases = self.site.servers[server].leases(self.site.now()).into_iter();
        let its = leases.find(|(_, duid, link, _)| (duid, *link) == (&customer.duid, customer.link));
        its.map(|(prefix, ..)| prefix)
    }

    fn says(&mut self, message_type: MessageType, customer: usize, server: usize) {
        let prefixes: Vec<Prefix> = self.lease_of(customer, server).into_iter().collect();
        let customer = self.customers[customer].clone();
        if !self.is_there(customer.link) || message_type != MessageType::Request && prefixes.is_empty() {
            return;
        }
        // An association is with one server at a time.
        let iaid = 1 + server as u32;
        let octets = self.site.message(message_type, &customer, server, &[(iaid, &prefixes)]);
        self.site.says(&customer, &octets);
        match (message_type, self.site.servers[server].is_up) {
            (MessageType::Release, true) => self.given_back.extend(prefixes),
            (MessageType::Release, false) => self.unanswered.extend(prefixes),
            _ => {}
        }
    }

    fn is_there(&self, link: u16) -> bool {
        let interface_id = format!("ge-0/0/{link}").into_bytes();
        self.site.ports.iter().any(|port| *port.interface_id == interface_id)
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Request(customer, server) => self.says(MessageType::Request, customer, server),
            Step::Renew(customer, server) => self.says(MessageType::Renew, customer, server),
            Step::Release(customer, server) => self.says(MessageType::Release, customer, server),
            Step::ReleaseUnheard(customer, server) => {
                if let Some(prefix) = self.lease_of(customer, server) {
                    let customer = self.customers[customer].clone();
                    self.site.releases_unheard(&customer, server, 1 + server as u32, prefix);
                }
            }
            Step::Restart { remembers, is_flushed } => self.restart(remembers, is_flushed),
            Step::Outage(server, is_up) => {
                self.site.servers[server].is_up = is_up;
                if !is_up && let Some(talk) = self.talks[server].take() {
                    self.site.breaks_off(talk);
                }
            }
            Step::Ask(server) => {
                if self.talks[server].is_none() {
                    self.talks[server] = self.site.ask(server);
                }
            }
            Step::Answer(server) => {
                if let Some(talk) = &mut self.talks[server] {
                    self.site.answers(talk);
                }
            }
            Step::Hear(server, most) => {
                if let Some(talk) = &mut self.talks[server] {
                    self.site.hears(talk, most);
                }
            }
            Step::Finish(server) => {
                if let Some(talk) = self.talks[server].take() {
                    self.site.finish(talk);
                }
            }
            Step::Refresh => self.site.agent.refresh(self.site.now().instant),
            Step::Pass(secs) => {
                // Nothing is on its way for long.
                let talks = self.talks.iter_mut().flatten().filter(|_| secs > ON_ITS_WAY_SECS);
                talks.for_each(|talk| self.site.hears(talk, usize::MAX));
                self.site.pass(secs);
            }
            Step::Down(link) => {
                let index = self.site.index_of(link);
                self.site.kernel.down(index, &mut self.site.agent);
            }
            Step::Up(link) => {
                let index = self.site.index_of(link);
                if self.is_there(link) {
                    self.site.kernel.up(index, &mut self.site.agent);
                }
            }
            Step::Gone(link) => self.go(link),
            Step::Back(link) => self.come_back(link),
            Step::Stranger(customer, server) => {
                if let Some(prefix) = self.lease_of(customer, server)
                    && !self.site.kernel.routes.contains_key(&prefix)
                {
                    self.site.kernel.routes.insert(prefix, Owner::Stranger);
                    self.site.agent.routes_mut().kernel_added(&kernel::seen(prefix, Owner::Stranger));
                    self.strangers.insert(prefix);
                }
            }
            Step::StrangersLeave => self.strangers_leave(),
        }
        self.site.settle();
    }

    fn restart(&mut self, remembers: bool, is_flushed: bool) {
        self.talks = [None, None];
        let images = if remembers { self.site.images() } else { Vec::new() };
        if is_flushed {
            self.site.kernel.routes.retain(|_, owner| *owner == Owner::Stranger);
        }
        self.site.restart_with(&images);
    }

    fn go(&mut self, link: u16) {
        if self.is_there(link) {
            let index = self.site.index_of(link);
            self.site.kernel.down(index, &mut self.site.agent);
            let at = self.site.ports.iter().position(|port| port.index == index).expect("it is there");
            self.gone.push(self.site.ports.remove(at));
            self.site.set_ports();
        }
    }

    fn come_back(&mut self, link: u16) {
        let interface_id = format!("ge-0/0/{link}").into_bytes();
        if let Some(at) = self.gone.iter().position(|port| *port.interface_id == interface_id) {
            self.next_index += 1;
            let port = relay::Port { index: self.next_index, ..self.gone.remove(at) };
            self.site.kernel.up(port.index, &mut self.site.agent);
            self.site.ports.push(port);
            self.site.set_ports();
        }
    }

    fn strangers_leave(&mut self) {
        for prefix in std::mem::take(&mut self.strangers) {
            self.site.kernel.routes.remove(&prefix);
            self.site.agent.routes_mut().kernel_removed(&kernel::seen(prefix, Owner::Stranger));
        }
    }

    /// The route of a lease.
    fn route(&self, (duid, link, _): &(wire::Duid, u16, u64)) -> Target {
        let mut customers = self.customers.iter();
        let customer = customers.find(|customer| (&customer.duid, customer.link) == (duid, *link));
        let next_hop = customer.expect("nobody else has leases").source;
        Target::Via { next_hop, interface_index: self.site.index_of(*link) }
    }

    /// What must be so at any time.
    fn check_on_the_way(&mut self) {
        let leases = self.leases();
        self.given_back.retain(|prefix| !leases.contains_key(prefix));
        for change in &self.site.kernel.changes[self.seen_changes..] {
            if let Change::Delete(route) = change
                && let Some(lease) = leases.get(&route.destination)
                && !self.unanswered.contains(&route.destination)
            {
                assert_ne!(route.target, self.route(lease), "{} is delegated", route.destination);
            }
        }
        self.seen_changes = self.site.kernel.changes.len();
        for (prefix, target) in self.site.kernel.ours() {
            assert!(!self.given_back.contains(&prefix), "{prefix} by {target:?} was given back");
        }
        for prefix in &self.strangers {
            assert_eq!(self.site.kernel.routes.get(prefix), Some(&Owner::Stranger), "{prefix}");
        }
    }

    /// Everybody is there, and nobody does anything any more.
    fn become_quiet(&mut self) {
        for link in LINKS {
            self.take(&Step::Back(link));
            self.take(&Step::Up(link));
        }
        for server in 0..SERVERS {
            self.take(&Step::Outage(server, true));
            self.take(&Step::Finish(server));
        }
        self.check_on_the_way();
        self.site.pass(150);
        self.site.recover();
        self.site.refresh();
        self.site.pass(3);
    }

    fn check_at_the_end(&self) {
        let leases = self.leases();
        let held: Vec<_> = self.site.agent.delegations().all(None).collect();
        let unix_secs = self.site.now().unix_secs;
        let known: Leases = held
            .iter()
            .map(|held| {
                let link = LINKS.into_iter().find(|link| {
                    self.site.agent.ports().interface_id(held.port) == format!("ge-0/0/{link}").as_bytes()
                });
                let requestor::Lifetime::Until(end) = held.valid else { panic!("nothing is for ever") };
                let end = unix_secs + end.since(self.site.now().instant).as_secs();
                (held.prefix, (held.client.to_duid(), link.expect("one of ours"), end))
            })
            .collect();
        let holders = |leases: &Leases| -> Vec<(Prefix, wire::Duid, u16)> {
            leases.iter().map(|(prefix, (duid, link, _))| (*prefix, duid.clone(), *link)).collect()
        };
        assert_eq!(holders(&known), holders(&leases));
        // Lifetimes count from when they are told of.
        for (prefix, (_, _, end)) in &leases {
            let late = known[prefix].2.checked_sub(*end);
            assert!(late.is_some_and(|secs| secs <= LATE_SECS), "{prefix} ends {end}: {late:?} s late");
        }
        let routes = leases.iter().filter(|(prefix, _)| !self.strangers.contains(prefix));
        let routes: Vec<(Prefix, Target)> =
            routes.map(|(prefix, lease)| (*prefix, self.route(lease))).collect();
        assert_eq!(self.site.kernel.ours(), routes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    // PDR-11..PDR-14, PDR-24, PDR-25, PDR-33, PDR-34
    #[test]
    fn what_is_delegated_is_routed_once_it_is_quiet_and_never_lost_before(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
            world.check_on_the_way();
        }
        world.become_quiet();
        world.check_on_the_way();
        world.check_at_the_end();
    }
}

// The model finds something to do.
#[test]
fn a_lease_of_the_model_lasts() {
    let mut world = World::new();
    for step in
        [Step::Request(0, 0), Step::Request(3, 1), Step::Restart { remembers: false, is_flushed: true }]
    {
        world.take(&step);
    }
    assert_eq!((world.leases().len(), world.site.kernel.ours().len()), (2, 0));
    world.become_quiet();
    world.check_at_the_end();
    assert_eq!(world.site.kernel.ours().len(), 2);
    world.site.pass(u64::from(VALID_SECS));
    world.check_at_the_end();
    assert_eq!(world.site.kernel.ours(), []);
}
