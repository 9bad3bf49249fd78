//! What a client does next.

use std::time::Duration;

use lease::Resource;
use wire::{Duid, IaKind, Iaid, MessageType};
use world::Instant;

use super::exchange::Exchange;
use super::retransmission::{Due, Terms};
use super::writing::Asked;
use super::{Client, Power};
use crate::plan::{between, happens, one_of};
use crate::universe::Outbox;

/// The longest that a client waits before its first message, so that not all speak at once (§18.2.1).
const MAX_DELAY: Duration = Duration::from_secs(1);

impl Client {
    /// Does what is due.
    pub(super) fn step(&mut self, now: Instant, out: &mut Outbox) {
        if let Power::Off { until } = self.power {
            if now < until {
                return;
            }
            self.switch_on(now);
        }
        self.held.expire(now);
        self.drop_what_has_no_object(now);
        match self.exchange.as_mut().map(|exchange| exchange.due(now, &mut self.chance)) {
            Some(Due::Nothing) => return,
            Some(Due::Again) => self.again(now, out),
            Some(Due::Over) => self.conclude(now),
            None => {}
        }
        if self.exchange.is_none() && self.is_on() {
            self.begin_what_is_due(now, out);
        }
    }

    /// When to look again.
    pub(super) fn next_look(&self) -> Instant {
        if let Power::Off { until } = self.power {
            return until;
        }
        let first_end = self.held.ends().map(|(first, _)| first);
        let next = match &self.exchange {
            Some(exchange) => exchange.deadline(),
            None if self.wants_nothing() => self.inform_at,
            None if self.held.is_empty() => self.solicit_at,
            None => self.held.renew_at().min(self.held.rebind_at()),
        };
        first_end.map_or(next, |end| end.min(next))
    }

    fn switch_on(&mut self, now: Instant) {
        let delay = Duration::from_millis(between(&mut self.chance, 0, MAX_DELAY.as_millis() as u64));
        self.power = Power::On;
        self.solicit_at = now + delay;
        self.inform_at = now + delay;
    }

    fn wants_nothing(&self) -> bool {
        self.wants().next().is_none()
    }

    /// What is all over cannot be extended.
    fn drop_what_has_no_object(&mut self, now: Instant) {
        let extends = |exchange: &Exchange| {
            matches!(exchange.message_type, MessageType::Confirm | MessageType::Renew | MessageType::Rebind)
        };
        if self.held.is_empty() && self.exchange.as_ref().is_some_and(extends) {
            self.exchange = None;
            self.solicit_at = now;
        }
    }

    /// It has not been answered: says it again, or takes the best of the offers that have come meanwhile.
    fn again(&mut self, now: Instant, out: &mut Outbox) {
        let best = self.exchange.as_mut().and_then(Exchange::best_offer);
        match best {
            Some(offer) => self.accept(offer, now, out),
            None => self.send(now, out),
        }
    }

    /// An exchange is over. What follows from that follows from what is held.
    pub(super) fn conclude(&mut self, now: Instant) {
        let over = self.exchange.take().map(|exchange| exchange.message_type);
        self.solicit_at = now;
        if over == Some(MessageType::Release) {
            let rest = self.rests_for.take().unwrap_or_default();
            self.power = Power::Off { until: now + rest };
        }
    }

    fn begin_what_is_due(&mut self, now: Instant, out: &mut Outbox) {
        if self.wants_nothing() {
            if self.inform_at <= now {
                self.inform(now, out);
            }
        } else if self.held.is_empty() {
            if self.solicit_at <= now {
                self.solicit(now, out);
            }
        } else if self.held.rebind_at() <= now {
            self.rebind(Terms::REBIND, now, out);
        } else if self.held.renew_at() <= now {
            self.renew(now, out);
        }
    }
}

/// Exchanges.
impl Client {
    fn begin(
        &mut self,
        message_type: MessageType,
        server: Option<Duid>,
        asked: Vec<Asked>,
        terms: Terms,
        now: Instant,
        out: &mut Outbox,
    ) {
        self.exchange = Some(Exchange::begin(message_type, server, asked, terms, now, &mut self.chance));
        self.send(now, out);
    }

    fn solicit(&mut self, now: Instant, out: &mut Outbox) {
        let wants: Vec<_> = self.wants().collect();
        let asked = wants.into_iter().map(|(kind, iaid)| {
            let resources = self.hint(kind).into_iter().collect();
            Asked { kind, iaid, resources }
        });
        let asked = asked.collect();
        self.begin(MessageType::Solicit, None, asked, Terms::SOLICIT, now, out);
    }

    /// What it would like to have: now and then what somebody else may have, or any of some length.
    fn hint(&mut self, kind: IaKind) -> Option<Resource> {
        if !self.plan.hints || happens(&mut self.chance, 1, 3) {
            return None;
        }
        let server = self.chance.below(self.servers) as usize;
        let number = self.chance.below(4) as u16;
        let length = one_of(&mut self.chance, &[48, 56, 56, 60, 64]);
        Some(match kind {
            IaKind::Address => Resource::Address(super::addresses::assigned(self.link, server, number)),
            IaKind::Prefix if happens(&mut self.chance, 1, 2) => {
                Resource::Prefix(super::addresses::any_prefix(length))
            }
            IaKind::Prefix => Resource::Prefix(super::addresses::delegation(self.link, server, number)),
        })
    }

    /// Asks a server for all that is wanted, and names what is known of it.
    pub(super) fn request(
        &mut self,
        server: Duid,
        known: impl Fn(&Self, IaKind, Iaid) -> Vec<Resource>,
        now: Instant,
        out: &mut Outbox,
    ) {
        let asked = self.wants().map(|(kind, iaid)| Asked { kind, iaid, resources: known(self, kind, iaid) });
        let asked = asked.collect();
        self.begin(MessageType::Request, Some(server), asked, Terms::REQUEST, now, out);
    }

    /// All that is wanted, with what is held of it: what is lacking may be had by now (§18.2.4).
    fn extensible(&self) -> Vec<Asked> {
        let asked = self.wants();
        asked
            .map(|(kind, iaid)| Asked { kind, iaid, resources: self.held.of(kind, iaid).collect() })
            .collect()
    }

    fn renew(&mut self, now: Instant, out: &mut Outbox) {
        let (server, asked) = (self.held.server().cloned(), self.extensible());
        let terms = Terms::RENEW.lasting(self.held.rebind_at().since(now));
        self.begin(MessageType::Renew, server, asked, terms, now, out);
    }

    pub(super) fn rebind(&mut self, terms: Terms, now: Instant, out: &mut Outbox) {
        let asked = self.extensible();
        self.begin(MessageType::Rebind, None, asked, terms, now, out);
    }

    pub(super) fn confirm(&mut self, now: Instant, out: &mut Outbox) {
        self.begin(MessageType::Confirm, None, self.extensible(), Terms::CONFIRM, now, out);
    }

    pub(super) fn inform(&mut self, now: Instant, out: &mut Outbox) {
        self.begin(MessageType::InformationRequest, None, Vec::new(), Terms::INFORM, now, out);
    }

    /// Gives leases back, or says that they are in use by somebody else. It does not hold them any more.
    pub(super) fn give_up(
        &mut self,
        message_type: MessageType,
        leases: &[super::HeldLease],
        server: Duid,
        now: Instant,
        out: &mut Outbox,
    ) {
        let mut asked: Vec<Asked> = Vec::new();
        for held in leases {
            let known = asked.iter_mut().find(|asked| asked.kind == held.kind && asked.iaid == held.iaid);
            match known {
                Some(asked) => asked.resources.push(held.resource),
                None => {
                    let resources = vec![held.resource];
                    asked.push(Asked { kind: held.kind, iaid: held.iaid, resources });
                }
            }
        }
        let terms = if message_type == MessageType::Release { Terms::RELEASE } else { Terms::DECLINE };
        self.begin(message_type, Some(server), asked, terms, now, out);
    }
}
