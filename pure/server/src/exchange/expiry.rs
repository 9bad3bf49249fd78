//! What time ends, and what the operator ends: leases that run out, rest or are remembered long
//! enough, and leases that are released by hand.

use lease::{ClientKey, Lease, LeaseState};
use world::Now;

use super::Exchanges;
use super::record::{Change, ChangeKind, Record};
use crate::{Discard, Holdings};

/// What has happened to the leases of one client without its doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Which client.
    pub key: ClientKey,
    /// What has happened.
    pub changes: Vec<Change>,
}

impl Exchanges {
    /// Ends what has run out, at most that of `most` clients: call again if so many are returned.
    pub fn expire(&mut self, holdings: &mut Holdings, now: Now, most: usize) -> Vec<Ended> {
        let until = now.unix_secs.saturating_sub(self.terms.rules.grace_secs.into());
        let due = holdings.table.expiring_until(until).take(most);
        let due: Vec<ClientKey> =
            due.map(|client| ClientKey { link: client.link, duid: client.duid.to_duid() }).collect();
        let remember_secs = self.terms.rules.remember_secs;
        let over = |lease: &Lease| {
            let over = lease.until_unix_secs().is_some_and(|end| end <= until);
            over.then(|| match lease.state {
                LeaseState::Active => {
                    (ChangeKind::Expired, lease.remembered(LeaseState::Expired, now.unix_secs, remember_secs))
                }
                LeaseState::Released | LeaseState::Expired | LeaseState::Declined => {
                    (ChangeKind::Forgotten, None)
                }
            })
        };
        due.into_iter().filter_map(|key| self.end(key, holdings, over).ok()).collect()
    }

    /// Releases those leases of a client that `which` picks, as if it had done so itself.
    pub fn release(
        &mut self,
        key: ClientKey,
        holdings: &mut Holdings,
        now: Now,
        which: impl Fn(&Lease) -> bool,
    ) -> Result<Ended, Discard> {
        let remember_secs = self.terms.rules.remember_secs;
        self.end(key, holdings, |lease| {
            let after = || lease.remembered(LeaseState::Released, now.unix_secs, remember_secs);
            (lease.state == LeaseState::Active && which(lease)).then(|| (ChangeKind::Released, after()))
        })
    }

    fn end(
        &mut self,
        key: ClientKey,
        holdings: &mut Holdings,
        next: impl Fn(&Lease) -> Option<(ChangeKind, Option<Lease>)>,
    ) -> Result<Ended, Discard> {
        let mut record = Record::open(&holdings.table, key.clone());
        record.end(|_, lease| next(lease));
        let Record { client, changes } = record;
        if !changes.is_empty() {
            self.keep(client, &changes, &mut holdings.table)?;
        }
        Ok(Ended { key, changes })
    }
}
