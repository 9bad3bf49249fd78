//! Writing down what is delegated, so that the relay knows it after a restart even if no server can be
//! asked: one thread.
//!
//! What has changed gathers for a moment and is then made durable in batches. Nobody waits for that: the
//! servers know the truth, and what was not written is learnt from them. So trouble with the disk is
//! told, what could not be written is tried again, and the relay goes on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use relay::{Agent, image};
use store::{Change, Notebook, Recalled};
use tracing::{info, warn};
use wire::Prefix;
use world::Now;

use super::service::Service;
use crate::config::Config;
use crate::net::Poller;

/// Where, in the state folder, delegations are written down.
const FOLDER: &str = "delegations";
/// How long changes gather: a batch costs a sync of the disk, however small it is.
const GATHERING: Duration = Duration::from_millis(200);
/// How long changes gather at the most while servers are being asked: what they tell they will tell again, and
/// until the routes are there the processor has better things to do.
const GATHERING_IN_RECOVERY: Duration = Duration::from_secs(5);
/// How long to wait before trying again what could not be written.
const PAUSE: Duration = Duration::from_secs(10);
/// Delegations that are put into words under one lock, so that forwarding does not wait for all.
const WORDED_AT_ONCE: usize = 500;

/// Where delegations are written down, if they are.
pub(super) fn folder(config: &Config) -> Option<PathBuf> {
    let remembers = config.relay.as_ref()?.recovery.remembers;
    remembers.then(|| config.state.join(FOLDER))
}

/// Opens what was written down, and has the agent take it. That takes a while for a city's delegations,
/// and nobody has to wait for it.
pub(super) fn recall(folder: &Path, service: &Service) -> anyhow::Result<Notebook> {
    let now = service.now();
    let (notebook, recalled) =
        open(folder, service, |octets| service.with(|agent| take(agent, octets, now)))?;
    info!(delegations = recalled.records, struck = recalled.struck, "remembered");
    Ok(notebook)
}

/// Opens what was written down; what is lost of it is written anew.
fn open(
    folder: &Path,
    service: &Service,
    mut take: impl FnMut(&[u8]) -> Result<(), store::BoxError>,
) -> anyhow::Result<(Notebook, Recalled)> {
    let notebook = Notebook::open(folder);
    let mut notebook =
        notebook.with_context(|| format!("cannot open the delegations in {}", folder.display()))?;
    if let Some(what) = notebook.set_aside() {
        warn!("the delegations in {} cannot be read and are put aside: {what}", folder.display());
    }
    let recalled = notebook.recall(&mut |_, octets| take(octets));
    let recalled =
        recalled.with_context(|| format!("cannot read the delegations in {}", folder.display()))?;
    recalled.named.iter().for_each(|struck| warn!("not remembered: {struck}"));
    if let Some(why) = &recalled.cut_short {
        warn!("not all delegations could be read: {why}");
    }
    if notebook.set_aside().is_some() || recalled.cut_short.is_some() {
        service.with(Agent::write_anew);
    }
    Ok((notebook, recalled))
}

/// An image that cannot be read is an error; what is said in one that can be may be over by now.
fn take(agent: &mut Agent, octets: &[u8], now: Now) -> Result<(), store::BoxError> {
    let image = image::decode(octets)?;
    let port = agent.port_of(image.interface_id).ok_or("there are too many ports")?;
    agent.remember(image.delegation(port, now), now.instant);
    Ok(())
}

/// The thread's data.
pub(super) struct Memory {
    service: Arc<Service>,
    poller: Poller,
    folder: PathBuf,
    /// Nothing before it could be opened, and after something could not be written: its engine takes nothing
    /// any more then, until it is opened anew.
    notebook: Option<Notebook>,
    has_recalled: bool,
    /// What could not be written yet.
    pending: BTreeSet<Prefix>,
}

/// Remembers what is in a folder, and writes into it what changes; for the last time when the relay stops.
pub(super) fn run(service: Arc<Service>, poller: Poller, folder: &Path) -> anyhow::Result<()> {
    let stopping = service.stopping();
    let mut memory = Memory::new(service, poller, folder);
    let mut pause = memory.prepare();
    while !stopping.has_come() {
        let until = pause.map(|pause| Instant::now() + pause);
        memory.wait(until, || stopping.has_come())?;
        pause = memory.keep();
    }
    Ok(())
}

impl Memory {
    fn new(service: Arc<Service>, poller: Poller, folder: &Path) -> Self {
        let (folder, pending) = (folder.to_owned(), BTreeSet::new());
        Self { service, poller, folder, notebook: None, has_recalled: false, pending }
    }

    /// Opens the notebook if it is not open; if that fails, gives how long to wait.
    fn prepare(&mut self) -> Option<Duration> {
        if self.notebook.is_none() {
            match self.open() {
                Ok(notebook) => self.notebook = Some(notebook),
                Err(error) => {
                    warn!("delegations are not written down, will try again: {error:#}");
                    return Some(PAUSE);
                }
            }
        }
        None
    }

    /// Writes all that is to be written; if that fails, gives how long to wait.
    fn keep(&mut self) -> Option<Duration> {
        let pause = self.prepare();
        let Some(mut notebook) = self.notebook.take() else { return pause };
        if let Err(error) = self.write_all(&mut notebook) {
            warn!("cannot write delegations down, will try again: {error}");
            return Some(PAUSE);
        }
        self.notebook = Some(notebook);
        None
    }

    /// Only the first time the agent takes what was written down: later it knows better.
    fn open(&mut self) -> anyhow::Result<Notebook> {
        let notebook = if self.has_recalled {
            open(&self.folder, &self.service, |_| Ok(())).map(|(notebook, _)| notebook)
        } else {
            recall(&self.folder, &self.service)
        };
        self.has_recalled |= notebook.is_ok();
        notebook
    }

    /// Waits for that moment, or, if there is none, for work and then for more to gather.
    fn wait(&self, until: Option<Instant>, is_over: impl Fn() -> bool) -> anyhow::Result<()> {
        if let Some(until) = until {
            return self.wait_until(until, &is_over);
        }
        self.poller.wait(&[], None).context("cannot wait")?;
        let latest = Instant::now() + GATHERING_IN_RECOVERY;
        self.wait_until(Instant::now() + GATHERING, &is_over)?;
        while !is_over() && Instant::now() < latest && self.service.look(has_better_to_do) {
            self.wait_until(Instant::now() + GATHERING, &is_over)?;
        }
        Ok(())
    }

    fn wait_until(&self, until: Instant, is_over: &impl Fn() -> bool) -> anyhow::Result<()> {
        while !is_over() && Instant::now() < until {
            self.poller.wait(&[], Some(until)).context("cannot wait")?;
        }
        Ok(())
    }

    /// Writes all that is to be written.
    fn write_all(&mut self, notebook: &mut Notebook) -> Result<(), store::CommitError> {
        loop {
            let now = self.service.now();
            let pending = &mut self.pending;
            let worded = self.service.with(|agent| {
                let room = WORDED_AT_ONCE.saturating_sub(pending.len());
                pending.extend(agent.take_unwritten(room));
                pending
                    .iter()
                    .take(WORDED_AT_ONCE)
                    .map(|prefix| word(agent, *prefix, now))
                    .collect::<Vec<_>>()
            });
            if worded.is_empty() {
                return Ok(());
            }
            let changes: Vec<Change<'_>> = worded
                .iter()
                .map(|worded| Change { key: &worded.key, image: worded.image.as_deref() })
                .collect();
            notebook.commit(&changes)?;
            worded.iter().for_each(|worded| _ = self.pending.remove(&worded.prefix));
        }
    }
}

/// Whether servers are being asked, or routes are on their way to the kernel.
fn has_better_to_do(agent: &Agent) -> bool {
    agent.recovery().is_waited_for() || !agent.routes().is_settled()
}

/// A delegation as it is written, or struck out if there is none.
struct Worded {
    prefix: Prefix,
    key: [u8; 17],
    image: Option<Vec<u8>>,
}

fn word(agent: &Agent, prefix: Prefix, now: Now) -> Worded {
    let held = agent.delegations().get(prefix);
    let image = held.map(|held| image::encode(&held, agent.ports().interface_id(held.port), now));
    Worded { prefix, key: image::key(prefix), image }
}

#[cfg(test)]
mod tests {
    use relay::{Delegation, Moment, Teller};
    use requestor::Lifetime;
    use wire::{Duid, IaKind};

    use super::*;

    fn delegation(agent: &mut Agent, number: u8) -> Delegation {
        Delegation {
            prefix: format!("2001:db8:{number}::/48").parse().unwrap(),
            kind: IaKind::Prefix,
            client: Duid::new(&[0, 3, 0, 1, number]).unwrap(),
            iaid: None,
            port: agent.port_of(b"eth1").unwrap(),
            next_hop: "fe80::1".parse().unwrap(),
            preferred: Lifetime::Forever,
            valid: Lifetime::Forever,
            heard: Moment::UNKNOWN,
            told_by: Teller::Memory,
        }
    }

    fn memory(folder: &Path) -> Memory {
        let service = Service::of_nobody();
        Memory::new(Arc::new(service), Poller::new().unwrap(), folder)
    }

    fn held(memory: &Memory) -> usize {
        memory.service.look(|agent| agent.delegations().counts().total())
    }

    // PDR-24: a disk that is in trouble when the relay starts stops nobody, and later it remembers.
    #[test]
    fn what_cannot_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("delegations");
        std::fs::write(&place, "in the way").unwrap();
        let mut first = memory(&place);
        first.service.with(|agent| {
            let delegation = delegation(agent, 1);
            agent.remember(delegation, world::Instant::default());
            agent.write_anew();
        });
        assert!(first.keep().is_some(), "it goes on without");
        std::fs::remove_file(&place).unwrap();
        assert_eq!(first.keep(), None);
        // As after something could not be written.
        first.notebook = None;
        first.service.with(|agent| agent.clear(&relay::Filter::All, world::Instant::default(), 10));
        first.service.with(|agent| {
            let delegation = delegation(agent, 2);
            agent.remember(delegation, world::Instant::default());
            agent.write_anew();
        });
        assert_eq!(first.keep(), None);
        assert_eq!(held(&first), 1, "what has ended does not come back out of what was written before");
        drop(first);
        let mut second = memory(&place);
        assert_eq!(second.keep(), None);
        assert_eq!(held(&second), 1);
    }
}
