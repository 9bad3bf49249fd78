//! Release and Decline: what a client no longer wants (RFC 9915 §18.3.7, §18.3.8).

use lease::{Binding, IaKind, Lease, LeaseState};
use wire::{Prefix, StatusCode};

use super::Exchange;
use super::association::{Answer, Asked};
use super::record::ChangeKind;

impl Exchange<'_> {
    /// Takes back the leases that are the client's; only what is unknown is spoken of.
    pub(super) fn release(&mut self, asked: &Asked) -> Option<Answer> {
        let held = self.record.active(asked.kind, asked.iaid);
        self.note_ignored(asked, &held);
        if held.is_empty() || self.excludes_otherwise(asked, &held) {
            return Some(Answer::with_status(asked, StatusCode::NO_BINDING));
        }
        let (now, remember_secs) = (self.now.unix_secs, self.rules.remember_secs);
        self.end_named(asked, ChangeKind::Released, |lease| {
            lease.remembered(LeaseState::Released, now, remember_secs)
        });
        None
    }

    /// Lets declined addresses rest; prefixes are not declined.
    pub(super) fn decline(&mut self, asked: &Asked) -> Option<Answer> {
        if asked.kind == IaKind::Prefix {
            return None;
        }
        let held = self.record.active(asked.kind, asked.iaid);
        self.note_ignored(asked, &held);
        if held.is_empty() {
            return Some(Answer::with_status(asked, StatusCode::NO_BINDING));
        }
        let (now, rest_secs) = (self.now.unix_secs, self.rules.decline_rest_secs);
        self.end_named(asked, ChangeKind::Declined, |lease| {
            lease.remembered(LeaseState::Declined, now, rest_secs)
        });
        None
    }

    /// What is named and not held is somebody else's, or nobody's.
    fn note_ignored(&mut self, asked: &Asked, held: &[Lease]) {
        let is_held = |resource| held.iter().any(|lease| lease.resource == resource);
        let named = asked.resources().map(|(resource, _)| resource);
        self.ignored.extend(named.filter(|resource| !is_held(*resource)));
    }

    /// Ends the active leases of the association that the message names.
    fn end_named(&mut self, asked: &Asked, kind: ChangeKind, after: impl Fn(&Lease) -> Option<Lease>) {
        let is_named = |binding: &Binding, lease: &Lease| {
            binding.kind == asked.kind
                && binding.iaid == asked.iaid
                && lease.state == LeaseState::Active
                && asked.resources().any(|(resource, _)| resource == lease.resource)
        };
        self.record.end(|binding, lease| is_named(binding, lease).then(|| (kind, after(lease))));
    }

    /// Whether the client says that something else, or something at all, is excluded from what it
    /// gives back (RFC 6603 §6.2). It may leave it unsaid.
    fn excludes_otherwise(&self, asked: &Asked, held: &[Lease]) -> bool {
        let differs = |lease: &Lease, said: Option<Prefix>| said.is_some() && lease.excluded != said;
        asked.resources().any(|(resource, said)| {
            held.iter().any(|lease| lease.resource == resource && differs(lease, said))
        })
    }
}
