//! Clients into a store.
//!
//! A state that holds nobody yet takes every client as it comes, in large batches. One that holds
//! clients is loaded into a table first, which knows who holds what. A client that is known stays
//! as it is, unless it has been heard since. A client that is to hold what somebody else holds must
//! wait until all others have had their turn, for the other may have moved on, or wait likewise; if
//! not, and if the other's lease has not run out either, it is not taken, and reported.

use std::path::Path;

use anyhow::Context;
use indicatif::ProgressBar;
use lease::{AfterImage, Client, ClientKey, Conflict, Table, image};
use store::{Change, EmbeddedStore, Store};

use super::report::Taken;
use crate::state;

/// Clients that are written at once: few enough to be held in memory twice, and so many that
/// waiting for the disk does not count.
const BATCH_CLIENTS: usize = 16 * 1024;

/// A state that takes clients in.
pub(crate) struct Intake {
    /// `None` if nothing is to be written.
    store: Option<EmbeddedStore>,
    table: Table,
    now_unix_secs: u64,
    taken: Taken,
}

impl Intake {
    /// Opens a state folder, and makes it if need be.
    pub(crate) fn open(folder: &Path, now_unix_secs: u64) -> anyhow::Result<Self> {
        let store = state::open(folder)?;
        let table = state::load(&store, Vec::new())?.table;
        Ok(Self { store: Some(store), table, now_unix_secs, taken: Taken::default() })
    }

    /// The same, but only to say what would come of it: nothing is written, and no folder made.
    pub(super) fn rehearse(folder: &Path, now_unix_secs: u64) -> anyhow::Result<Self> {
        if state::is_there(folder) {
            return Ok(Self { store: None, ..Self::open(folder, now_unix_secs)? });
        }
        Ok(Self { store: None, table: Table::default(), now_unix_secs, taken: Taken::default() })
    }

    /// Takes clients, of which no two hold the same, and says what became of them.
    pub(crate) fn take(
        self,
        clients: impl Iterator<Item = Client>,
        progress: &ProgressBar,
    ) -> anyhow::Result<Taken> {
        if self.table.is_empty() { self.take_all(clients, progress) } else { self.merge(clients, progress) }
    }

    /// Nobody is there with whom anybody could be in conflict.
    fn take_all(
        mut self,
        clients: impl Iterator<Item = Client>,
        progress: &ProgressBar,
    ) -> anyhow::Result<Taken> {
        let mut batch = Vec::with_capacity(BATCH_CLIENTS);
        for client in clients {
            self.taken.written += 1;
            batch.push(AfterImage { key: image::key(&client.key), image: Some(image::encode(&client)) });
            if batch.len() == BATCH_CLIENTS {
                self.commit(&batch, progress)?;
                batch.clear();
            }
        }
        self.commit(&batch, progress)?;
        Ok(self.taken)
    }

    fn merge(
        mut self,
        clients: impl Iterator<Item = Client>,
        progress: &ProgressBar,
    ) -> anyhow::Result<Taken> {
        let mut waiting: Vec<Client> = clients.filter(|client| !self.put(client, progress)).collect();
        let mut before = usize::MAX;
        while waiting.len() < before {
            before = waiting.len();
            waiting.retain(|client| !self.put(client, progress));
        }
        self.exchange(&waiting);
        for batch in self.table.take_batch().chunks(BATCH_CLIENTS) {
            self.commit(batch, &ProgressBar::hidden())?;
        }
        Ok(self.taken)
    }

    /// Whether a client has been dealt with. If not, somebody else holds what it is to hold.
    fn put(&mut self, client: &Client, progress: &ProgressBar) -> bool {
        let known = self.table.client(&client.key);
        if known.is_some_and(|known| known.heard_unix_secs >= client.heard.at_unix_secs) {
            self.taken.kept += 1;
        } else if self.table.put(client).is_ok() {
            self.taken.written += 1;
        } else {
            return false;
        }
        progress.inc(1);
        true
    }

    /// Takes clients that may be in one another's way: each of them gives up what it is known to
    /// hold, and has it back if it cannot be taken.
    fn exchange(&mut self, waiting: &[Client]) {
        let known = |client: &Client| self.table.client(&client.key).map(|view| view.to_client());
        let known: Vec<Option<Client>> = waiting.iter().map(known).collect();
        for client in known.iter().flatten() {
            self.table.remove(&client.key);
        }
        for (client, known) in waiting.iter().zip(known) {
            if let Err(conflict) = self.put_in_place_of_expired(client) {
                self.taken.refuse(&client.key, &conflict);
                // In vain only if somebody has been given it meanwhile, who was heard later.
                let _ = known.map(|known| self.table.put(&known));
            }
        }
    }

    fn put_in_place_of_expired(&mut self, client: &Client) -> Result<(), Conflict> {
        while let Err(conflict) = self.table.put(client) {
            if !self.forget_expired(&conflict.holder) {
                return Err(conflict);
            }
        }
        self.taken.written += 1;
        Ok(())
    }

    /// Takes from a client what has run out, and rests or is remembered no longer; `false` if there
    /// is nothing of the kind.
    fn forget_expired(&mut self, key: &ClientKey) -> bool {
        let Some(mut client) = self.table.client(key).map(|view| view.to_client()) else { return false };
        let mut forgotten = false;
        for binding in &mut client.bindings {
            let before = binding.leases.len();
            let over = |until| until <= self.now_unix_secs;
            binding.leases.retain(|lease| !lease.until_unix_secs().is_some_and(over));
            forgotten |= binding.leases.len() < before;
        }
        client.bindings.retain(|binding| !binding.leases.is_empty());
        if client.bindings.is_empty() {
            self.table.remove(key);
        } else if forgotten {
            self.table.put(&client).expect("who holds less than before is in nobody's way");
        }
        forgotten
    }

    fn commit(&mut self, batch: &[AfterImage], progress: &ProgressBar) -> anyhow::Result<()> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let changes: Vec<Change<'_>> = batch.iter().map(change).collect();
        store.commit(&changes).context("cannot write the clients")?;
        progress.inc(batch.len() as u64);
        Ok(())
    }
}

fn change(after: &AfterImage) -> Change<'_> {
    let AfterImage { key, image } = after;
    Change { key, image: image.as_deref() }
}
