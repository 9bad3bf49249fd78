//! What stands in the file already, and in which line: links held against one another.
//!
//! Numbers, names, prefixes and subscribers are looked up as they are read. What is a range of
//! addresses is gathered, and compared in order of address when all links are known.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::Ipv6Addr;

use lease::{AddressPool, DelegationPool, InterfacePattern};
use server::assign::Subscriber;
use wire::{Duid, Prefix};

use super::faults::Collector;
use super::interfaces;
use super::toml_tree::Place;

/// What the links so far have taken.
#[derive(Default)]
pub(super) struct Taken {
    /// The link that is being read, counted from 1.
    link: usize,
    ids: BTreeMap<u32, usize>,
    names: BTreeMap<String, usize>,
    prefixes: BTreeMap<Prefix, usize>,
    relay_ids: BTreeMap<Duid, usize>,
    link_local: BTreeMap<(Ipv6Addr, Box<[u8]>), usize>,
    subscribers: BTreeMap<(usize, Subscriber), usize>,
    interface_names: BTreeMap<String, (usize, usize)>,
    interface_patterns: Vec<(InterfacePattern, usize, Place)>,
    address_pools: Vec<Span>,
    delegation_pools: Vec<(DelegationPool, Span)>,
    reserved: Vec<Span>,
    reserved_prefixes: Vec<(Prefix, Span)>,
}

/// Addresses that a link has a use for.
#[derive(Clone)]
struct Span {
    first: Ipv6Addr,
    last: Ipv6Addr,
    link: usize,
    place: Place,
}

impl Taken {
    /// Goes on with the next link.
    pub(super) fn begin_link(&mut self) {
        self.link += 1;
    }

    pub(super) fn note_id(&mut self, id: u32, place: &Place, faults: &mut Collector) {
        if let Some(line) = self.ids.get(&id) {
            let problem = format!("{id} is the number of the link of line {line} already");
            let free = self.ids.last_key_value().and_then(|(highest, _)| highest.checked_add(1));
            let remedy =
                free.map_or("choose another".to_owned(), |free| format!("choose another, such as {free}"));
            faults.fault(place, problem, remedy);
        }
        self.ids.entry(id).or_insert(place.line);
    }

    pub(super) fn note_name(&mut self, name: &str, place: &Place, faults: &mut Collector) {
        if let Some(line) = self.names.get(name) {
            let problem = format!("{name:?} is the name in line {line} already");
            faults.fault(place, problem, "choose another");
        }
        self.names.entry(name.to_owned()).or_insert(place.line);
    }

    pub(super) fn note_prefix(&mut self, prefix: Prefix, place: &Place, faults: &mut Collector) {
        if let Some(line) = self.prefixes.get(&prefix) {
            let problem = format!("{prefix} is a link's prefix in line {line} already");
            faults.fault(place, problem, "leave one of them out, or make one link of both");
        }
        self.prefixes.entry(prefix).or_insert(place.line);
    }

    pub(super) fn note_relay_id(&mut self, relay: &Duid, place: &Place, faults: &mut Collector) {
        if let Some(line) = self.relay_ids.get(relay) {
            let problem = format!("{relay} names the link of line {line} already");
            faults.fault(place, problem, "leave one of them out: a relay's clients are on one link");
        }
        self.relay_ids.entry(relay.clone()).or_insert(place.line);
    }

    /// A link-local relay address together with an Interface-ID.
    pub(super) fn note_link_local(
        &mut self,
        address: Ipv6Addr,
        interface_id: &[u8],
        place: &Place,
        faults: &mut Collector,
    ) {
        let key = (address, interface_id.into());
        if let Some(line) = self.link_local.get(&key) {
            let problem = format!("with {address}, it names the link of line {line} already");
            faults.fault(place, problem, "leave one of them out: together they name one link");
        }
        self.link_local.entry(key).or_insert(place.line);
    }

    /// Names are looked up; only patterns are compared one by one.
    pub(super) fn note_interface(
        &mut self,
        pattern: &InterfacePattern,
        place: &Place,
        faults: &mut Collector,
    ) {
        let link = self.link;
        let clashes = |other: usize, line: usize, also: &dyn Display, faults: &mut Collector| {
            let which = if other == link { "the link already" } else { "an interface of another link" };
            let problem = format!("means {which} together with {also} of line {line}");
            faults.fault(place, problem, "let each interface be on one link, and named once");
        };
        if interfaces::is_name(pattern) {
            if let Some((other, line)) = self.interface_names.get(&pattern.0) {
                clashes(*other, *line, pattern, faults);
            }
            self.interface_names.entry(pattern.0.clone()).or_insert((link, place.line));
        } else {
            for (name, (other, line)) in &self.interface_names {
                if *other != link && pattern.matches(name) {
                    clashes(*other, *line, name, faults);
                }
            }
        }
        for (earlier, other, earlier_place) in &self.interface_patterns {
            if *other != link && interfaces::overlap(earlier, pattern) {
                clashes(*other, earlier_place.line, earlier, faults);
            }
        }
        if !interfaces::is_name(pattern) {
            self.interface_patterns.push((pattern.clone(), link, place.clone()));
        }
    }

    pub(super) fn note_subscriber(&mut self, subscriber: &Subscriber, place: &Place, faults: &mut Collector) {
        let key = (self.link, subscriber.clone());
        if let Some(line) = self.subscribers.get(&key) {
            let problem = format!("something is kept for the same subscriber in line {line} already");
            faults.fault(place, problem, "make one reservation of both");
        }
        self.subscribers.entry(key).or_insert(place.line);
    }

    pub(super) fn note_address_pool(&mut self, pool: &AddressPool, place: &Place) {
        let span = self.span(pool.first, pool.last, place);
        self.address_pools.push(span);
    }

    pub(super) fn note_delegation_pool(&mut self, pool: &DelegationPool, place: &Place) {
        let span = self.span(pool.prefix.address(), pool.prefix.last_address(), place);
        self.delegation_pools.push((*pool, span));
    }

    pub(super) fn note_reserved_address(&mut self, address: Ipv6Addr, place: &Place) {
        let span = self.span(address, address, place);
        self.reserved.push(span);
    }

    pub(super) fn note_reserved_prefix(&mut self, prefix: Prefix, place: &Place) {
        let span = self.span(prefix.address(), prefix.last_address(), place);
        self.reserved.push(span.clone());
        self.reserved_prefixes.push((prefix, span));
    }

    fn span(&self, first: Ipv6Addr, last: Ipv6Addr, place: &Place) -> Span {
        Span { first, last, link: self.link, place: place.clone() }
    }

    /// Reports every address that would have two owners.
    pub(super) fn finish(self, faults: &mut Collector) {
        let delegation_spans = || self.delegation_pools.iter().map(|(_, span)| span.clone());
        let (pool, reservation) = ("the pool", "what is kept");
        let to_one_pool = "give each address to one pool";
        report_overlaps(self.address_pools.clone(), pool, to_one_pool, faults);
        report_overlaps(delegation_spans().collect(), pool, to_one_pool, faults);
        report_overlaps(self.reserved.clone(), reservation, "keep each for one subscriber", faults);
        self.report_delegated_on_link(faults);
        self.report_reserved_elsewhere(faults);
    }

    /// What is delegated is used for nothing else, but for the part that is excluded from it (erratum
    /// 2468 to RFC 3633).
    fn report_delegated_on_link(&self, faults: &mut Collector) {
        let pools = self.delegation_pools.iter().map(|(pool, span)| (pool.prefix, Some(pool), span));
        let reserved = self
            .reserved_prefixes
            .iter()
            .map(|(prefix, span)| (*prefix, self.delegating(*prefix, span.link), span));
        for (delegated, pool, span) in pools.chain(reserved) {
            for (on_link, line) in overlapping(&self.prefixes, delegated) {
                if !pool.is_some_and(|pool| pool.leaves_out(on_link)) {
                    let problem = format!("{delegated} has {on_link} of line {line} in it, or lies in it");
                    let remedy = "delegate what is on no link, or exclude from it what is";
                    faults.fault(&span.place, problem, remedy);
                }
            }
        }
    }

    /// The link's pool that delegates this prefix. Pools stand in the order of their links.
    fn delegating(&self, prefix: Prefix, link: usize) -> Option<&DelegationPool> {
        let start = self.delegation_pools.partition_point(|(_, span)| span.link < link);
        let of_link = self.delegation_pools[start..].iter().take_while(|(_, span)| span.link == link);
        of_link.map(|(pool, _)| pool).find(|pool| pool.delegates(prefix))
    }

    /// What one link keeps for somebody, no other may assign or delegate.
    fn report_reserved_elsewhere(&self, faults: &mut Collector) {
        let mut pools: Vec<&Span> = self.address_pools.iter().collect();
        pools.extend(self.delegation_pools.iter().map(|(_, span)| span));
        pools.sort_by_key(|pool| pool.first);
        for reserved in &self.reserved {
            let behind = pools.partition_point(|pool| pool.last < reserved.first);
            let overlapping = pools[behind..].iter().take_while(|pool| pool.first <= reserved.last);
            for pool in overlapping.filter(|pool| pool.link != reserved.link) {
                let problem = format!("lies in the pool of line {}, on another link", pool.place.line);
                faults.fault(&reserved.place, problem, "keep what no other link assigns or delegates");
            }
        }
    }
}

/// The prefixes that cover this one, and those that it covers.
fn overlapping(
    prefixes: &BTreeMap<Prefix, usize>,
    prefix: Prefix,
) -> impl Iterator<Item = (Prefix, usize)> + '_ {
    let around = (0..prefix.length()).filter_map(move |length| Prefix::new(prefix.address(), length).ok());
    let around = around.filter_map(|around| prefixes.get_key_value(&around));
    let inside = prefixes.range(prefix..).take_while(move |(other, _)| prefix.covers(**other));
    around.chain(inside).map(|(prefix, line)| (*prefix, *line))
}

/// Goes through the spans by first address with the one that reaches furthest so far.
fn report_overlaps(mut spans: Vec<Span>, what: &str, remedy: &str, faults: &mut Collector) {
    spans.sort_by_key(|span| (span.first, span.last, span.place.line));
    let mut spans = spans.iter();
    let Some(mut furthest) = spans.next() else { return };
    for span in spans {
        if span.first <= furthest.last {
            report_overlap(furthest, span, what, remedy, faults);
        }
        if span.last > furthest.last {
            furthest = span;
        }
    }
}

/// Reports at the one that stands later in the file.
fn report_overlap(a: &Span, b: &Span, what: &str, remedy: &str, faults: &mut Collector) {
    let (before, after) = if a.place.line <= b.place.line { (a, b) } else { (b, a) };
    let (first, last) = (a.first.max(b.first), a.last.min(b.last));
    let problem = format!("has {first} to {last} in common with {what} of line {}", before.place.line);
    faults.fault(&after.place, problem, remedy);
}
