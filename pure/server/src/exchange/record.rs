//! A client's record while it is being changed.

use std::fmt;

use lease::{Binding, Client, ClientKey, Heard, IaKind, Lease, LeaseState, Resource, Table};
use wire::Iaid;

use crate::limits::MAX_REMEMBERED_PER_CLIENT;

/// What has happened to a lease: one line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What has happened.
    pub kind: ChangeKind,
    /// To which address or prefix.
    pub resource: Resource,
}

/// What can happen to a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The client was given it.
    Granted,
    /// It is the client's for longer.
    Extended,
    /// The client, or the operator, has given it back.
    Released,
    /// The client has found it in use by somebody else.
    Declined,
    /// It has run out.
    Expired,
    /// Nobody remembers any more whose it was; if it was declined, it can be given again.
    Forgotten,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Granted => "granted",
            Self::Extended => "extended",
            Self::Released => "released",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Forgotten => "forgotten",
        })
    }
}

/// A copy of what the table has of a client, and what has been done to it since.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) client: Client,
    pub(super) changes: Vec<Change>,
}

impl Record {
    /// What is known of a client; nothing, if it is new.
    pub(super) fn open(table: &Table, key: ClientKey) -> Self {
        let known = table.client(&key).map(|view| view.to_client());
        let client = known.unwrap_or_else(|| Client {
            key,
            heard: Heard { at_unix_secs: 0, path: None },
            options: Vec::new(),
            reconfigure: None,
            bindings: Vec::new(),
        });
        Self { client, changes: Vec::new() }
    }

    fn binding(&self, kind: IaKind, iaid: Iaid) -> Option<&Binding> {
        self.client.bindings.iter().find(|binding| binding.kind == kind && binding.iaid == iaid)
    }

    /// The leases of a binding that are the client's now.
    pub(super) fn active(&self, kind: IaKind, iaid: Iaid) -> Vec<Lease> {
        let leases = self.binding(kind, iaid).map_or(&[][..], |binding| &binding.leases);
        leases.iter().filter(|lease| lease.state == LeaseState::Active).copied().collect()
    }

    /// Whether this is the client's now, in whatever binding.
    pub(super) fn holds(&self, resource: Resource) -> bool {
        let mut leases = self.client.bindings.iter().flat_map(|binding| &binding.leases);
        leases.any(|lease| lease.resource == resource && lease.state == LeaseState::Active)
    }

    /// What a binding held before, the latest first.
    pub(super) fn remembered(&self, kind: IaKind, iaid: Iaid) -> Vec<Resource> {
        let leases = self.binding(kind, iaid).map_or(&[][..], |binding| &binding.leases);
        let mut gone: Vec<&Lease> = leases.iter().filter(|lease| is_remembered(lease)).collect();
        gone.sort_by_key(|lease| std::cmp::Reverse(lease.granted_unix_secs));
        gone.into_iter().map(|lease| lease.resource).collect()
    }

    /// How many leases of the client are in this state.
    pub(super) fn count_in(&self, state: LeaseState) -> usize {
        let leases = self.client.bindings.iter().flat_map(|binding| &binding.leases);
        leases.filter(|lease| lease.state == state).count()
    }

    /// Makes a lease the binding's, or renews it.
    pub(super) fn grant(&mut self, kind: IaKind, iaid: Iaid, lease: Lease) {
        let extended = self.active(kind, iaid).iter().any(|held| held.resource == lease.resource);
        let change = if extended { ChangeKind::Extended } else { ChangeKind::Granted };
        self.changes.push(Change { kind: change, resource: lease.resource });
        for binding in &mut self.client.bindings {
            let is_own = binding.kind == kind && binding.iaid == iaid;
            if let Some(held) = binding.leases.iter_mut().find(|held| held.resource == lease.resource) {
                if is_own {
                    *held = lease;
                    return;
                }
                binding.leases.retain(|held| held.resource != lease.resource);
            }
        }
        self.binding_to_fill(kind, iaid).leases.push(lease);
        self.client.bindings.retain(|binding| !binding.leases.is_empty());
    }

    fn binding_to_fill(&mut self, kind: IaKind, iaid: Iaid) -> &mut Binding {
        let bindings = &mut self.client.bindings;
        let known = bindings.iter().position(|binding| binding.kind == kind && binding.iaid == iaid);
        let index = known.unwrap_or_else(|| {
            bindings.push(Binding { kind, iaid, leases: Vec::new() });
            bindings.len() - 1
        });
        &mut bindings[index]
    }

    /// Ends every lease for which `next` says so: it becomes what `next` gives, or is forgotten. Of
    /// those that are only remembered, the latest stay.
    pub(super) fn end(&mut self, next: impl FnMut(&Binding, &Lease) -> Option<(ChangeKind, Option<Lease>)>) {
        self.end_each(next);
        let leases = self.client.bindings.iter().flat_map(|binding| &binding.leases);
        let mut since: Vec<u64> =
            leases.filter(|lease| is_remembered(lease)).map(|lease| lease.granted_unix_secs).collect();
        let Some(mut too_many) = since.len().checked_sub(MAX_REMEMBERED_PER_CLIENT) else { return };
        since.sort_unstable();
        self.end_each(|_, lease| {
            let is_over =
                too_many > 0 && is_remembered(lease) && lease.granted_unix_secs <= since[too_many - 1];
            too_many -= usize::from(is_over);
            is_over.then_some((ChangeKind::Forgotten, None))
        });
    }

    fn end_each(&mut self, mut next: impl FnMut(&Binding, &Lease) -> Option<(ChangeKind, Option<Lease>)>) {
        let Self { client, changes } = self;
        for binding in &mut client.bindings {
            let mut kept = Vec::with_capacity(binding.leases.len());
            for lease in &binding.leases {
                match next(binding, lease) {
                    None => kept.push(*lease),
                    Some((kind, after)) => {
                        changes.push(Change { kind, resource: lease.resource });
                        kept.extend(after);
                    }
                }
            }
            binding.leases = kept;
        }
        client.bindings.retain(|binding| !binding.leases.is_empty());
    }
}

/// Whether the lease is over, and its client may have the same again.
fn is_remembered(lease: &Lease) -> bool {
    matches!(lease.state, LeaseState::Released | LeaseState::Expired)
}
