//! Renew and Rebind: what a client has, for longer (RFC 9915 §18.3.4, §18.3.5).

use lease::{Lease, LeaseState, Resource};
use wire::StatusCode;

use super::Exchange;
use super::association::{Answer, Asked, Told};
use super::record::ChangeKind;
use crate::assign::Standing;

impl Exchange<'_> {
    /// Answers one identity association of a Renew or Rebind. One that is not known is bound if
    /// `may_bind`.
    pub(super) fn extend(&mut self, asked: &Asked, may_bind: bool) -> Answer {
        let held = self.record.active(asked.kind, asked.iaid);
        if held.is_empty() { self.extend_unknown(asked, may_bind) } else { self.extend_known(asked, &held) }
    }

    /// What can be extended is. The rest runs out, with something new beside it if nothing could be
    /// extended; what does not belong on this link, or is not the client's, ends at once.
    fn extend_known(&mut self, asked: &Asked, held: &[Lease]) -> Answer {
        let mut answer = Answer::new(asked);
        let held = self.replace_by_kept(asked, held, &mut answer);
        self.extend_what_can_be(asked, held, &mut answer);
        if answer.leases.is_empty() {
            self.find_for(asked, &mut answer);
        }
        for lease in held {
            match self.certain_standing(lease.resource) {
                Standing::OnLink => {
                    answer.leases.push(Told::running_out(lease, self.now.unix_secs));
                }
                Standing::Assignable => {}
                Standing::Foreign => {
                    self.let_go(lease.resource);
                    answer.leases.push(Told::gone(lease.resource));
                }
            }
        }
        let told: Vec<Resource> = answer.leases.iter().map(|told| told.resource).collect();
        let others = asked
            .resources()
            .map(|(resource, _)| resource)
            .filter(|resource| !told.contains(resource) && !self.record.holds(*resource));
        answer.leases.extend(others.map(Told::gone));
        answer
    }

    /// What has been kept for the association since takes the place of the first that it has, which ends
    /// at once (RFC 9915 §18.3.4). Gives the others.
    fn replace_by_kept<'l>(&mut self, asked: &Asked, held: &'l [Lease], answer: &mut Answer) -> &'l [Lease] {
        match (held, self.find_kept(asked, held)) {
            ([replaced, others @ ..], Some(kept)) => {
                self.let_go(replaced.resource);
                self.take(asked, kept, answer);
                answer.leases.push(Told::gone(replaced.resource));
                others
            }
            _ => held,
        }
    }

    fn extend_unknown(&mut self, asked: &Asked, may_bind: bool) -> Answer {
        let mut answer = Answer::new(asked);
        if may_bind {
            self.find_for(asked, &mut answer);
            if answer.leases.is_empty() {
                answer.status = Some(asked.nothing_available());
            }
        }
        let given: Vec<Resource> = answer.leases.iter().map(|told| told.resource).collect();
        let foreign = asked.resources().map(|(resource, _)| resource).filter(|resource| {
            let is_over = may_bind || self.certain_standing(*resource) == Standing::Foreign;
            is_over && !given.contains(resource) && !self.record.holds(*resource)
        });
        let gone: Vec<Told> = foreign.map(Told::gone).collect();
        answer.leases.extend(gone);
        if answer.leases.is_empty() && !may_bind {
            answer.status = Some(StatusCode::NO_BINDING);
        }
        answer
    }

    /// Foreign is only what the configuration knows to belong elsewhere. A prefix that no pool has,
    /// here or elsewhere, may be the client's by an earlier configuration, or from another server; and
    /// of a link without prefixes it is not known which addresses are on it.
    pub(super) fn certain_standing(&self, resource: Resource) -> Standing {
        let is_certain = match resource {
            Resource::Address(_) => !self.link.prefixes.is_empty(),
            Resource::Prefix(prefix) => self.links.configures(prefix.address()),
        };
        match self.standing(resource) {
            Standing::Foreign if !is_certain => Standing::OnLink,
            standing => standing,
        }
    }

    fn let_go(&mut self, resource: Resource) {
        let (now, remember_secs) = (self.now.unix_secs, self.rules.remember_secs);
        self.record.end(|_, lease| {
            (lease.resource == resource && lease.state == LeaseState::Active)
                .then(|| (ChangeKind::Released, lease.remembered(LeaseState::Released, now, remember_secs)))
        });
    }
}
