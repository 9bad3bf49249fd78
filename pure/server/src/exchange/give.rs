//! Solicit and Request: what a client is given (RFC 9915 §18.3.1, §18.3.2).

use lease::{IaKind, Lease, LeaseState, Resource};
use wire::StatusCode;

use super::Exchange;
use super::association::{Answer, Asked, Told, Wish};
use crate::assign::{Assigner, Found, Seeker, Standing};

impl Exchange<'_> {
    /// Answers one identity association of a Solicit or Request: with what it has, else with what
    /// can be found for it, else with a status.
    pub(super) fn give(&mut self, asked: &Asked) -> Answer {
        let mut answer = Answer::new(asked);
        self.extend_what_can_be(asked, &self.record.active(asked.kind, asked.iaid), &mut answer);
        if answer.leases.is_empty() {
            self.find_for(asked, &mut answer);
        }
        if answer.leases.is_empty() {
            answer.status = Some(asked.nothing_available());
        }
        answer
    }

    /// Whether an address is asked for that can never be one of this link: then the client has
    /// moved and has to be told so (RFC 9915 §18.3.2).
    pub(super) fn asks_for_foreign_address(&self, asked: &Asked) -> bool {
        asked.kind == IaKind::Address
            && asked.resources().any(|(resource, _)| self.certain_standing(resource) == Standing::Foreign)
    }

    /// Answers an identity association of a Request.
    pub(super) fn request(&mut self, asked: &Asked) -> Answer {
        if self.asks_for_foreign_address(asked) {
            return Answer::with_status(asked, StatusCode::NOT_ON_LINK);
        }
        self.give(asked)
    }

    /// Extends the leases of a binding that are still ours to give.
    pub(super) fn extend_what_can_be(&mut self, asked: &Asked, held: &[Lease], answer: &mut Answer) {
        for lease in held {
            if let Some(lease) = self.extended(lease) {
                self.take(asked, lease, answer);
            }
        }
    }

    /// What is kept for the association, if it holds nothing of that.
    pub(super) fn find_kept(&mut self, asked: &Asked, held: &[Lease]) -> Option<Lease> {
        let (table, now) = (self.table, self.now);
        let found =
            self.look(asked, None, |assigner, seeker| assigner.find_kept(seeker, held, table, now))?;
        Some(self.lease(found.resource, found.excluded))
    }

    /// The lease for longer, if it is still ours to give. What is excluded from it is what it was granted
    /// with, whatever the pool has excluded since: what a client has made of its prefix goes on.
    fn extended(&self, held: &Lease) -> Option<Lease> {
        let is_ours = self.standing(held.resource) == Standing::Assignable;
        is_ours.then(|| self.lease(held.resource, held.excluded))
    }

    /// Finds something for each wish that can be fulfilled to the letter, and something at all if
    /// none can.
    pub(super) fn find_for(&mut self, asked: &Asked, answer: &mut Answer) {
        for wish in &asked.wishes {
            if let Some(found) = self.find(asked, Some(*wish))
                && fulfils(found.resource, *wish)
            {
                self.take(asked, self.lease(found.resource, found.excluded), answer);
            }
        }
        if answer.leases.is_empty()
            && let Some(found) = self.find(asked, asked.wishes.first().copied())
        {
            self.take(asked, self.lease(found.resource, found.excluded), answer);
        }
    }

    fn find(&mut self, asked: &Asked, wish: Option<Wish>) -> Option<Found> {
        let (table, now) = (self.table, self.now);
        let may_hold_more = self.may_hold_more();
        may_hold_more.then(|| self.look(asked, wish, |assigner, seeker| assigner.find(seeker, table, now)))?
    }

    fn look(
        &mut self,
        asked: &Asked,
        wish: Option<Wish>,
        how: impl FnOnce(&mut Assigner, &Seeker<'_>) -> Option<Found>,
    ) -> Option<Found> {
        let (hint, length_hint) = match wish {
            Some(Wish::Resource(resource, _)) => {
                (Some(resource), resource.prefix().map(|prefix| prefix.length()))
            }
            Some(Wish::Length(length)) => (None, Some(length)),
            None => (None, None),
        };
        let seeker = Seeker {
            link: self.link,
            identity: &self.identity,
            kind: asked.kind,
            iaid: asked.iaid,
            hint,
            length_hint,
            remembered: &self.record.remembered(asked.kind, asked.iaid),
            taken: &self.given,
            takes_exclusion: self.wants.takes_exclusion(),
        };
        how(self.assigner, &seeker)
    }

    pub(super) fn take(&mut self, asked: &Asked, lease: Lease, answer: &mut Answer) {
        self.given.push(lease.resource);
        self.record.grant(asked.kind, asked.iaid, lease);
        answer.leases.push(Told::granted(&lease));
    }

    /// A lease that begins now, with the link's lifetimes.
    fn lease(&self, resource: Resource, excluded: Option<wire::Prefix>) -> Lease {
        Lease {
            resource,
            state: LeaseState::Active,
            granted_unix_secs: self.now.unix_secs,
            preferred_secs: self.on_link.preferred_secs,
            valid_secs: self.on_link.valid_secs,
            excluded,
        }
    }
}

fn fulfils(resource: Resource, wish: Wish) -> bool {
    match wish {
        Wish::Resource(wished, _) => resource == wished,
        Wish::Length(length) => resource.prefix().is_some_and(|prefix| prefix.length() == length),
    }
}
