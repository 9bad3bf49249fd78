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
use store::{Change, Notebook};
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
    let notebook = Notebook::open(folder);
    let mut notebook =
        notebook.with_context(|| format!("cannot open the delegations in {}", folder.display()))?;
    if let Some(what) = notebook.set_aside() {
        warn!("the delegations in {} cannot be read and are put aside: {what}", folder.display());
    }
    let now = service.now();
    let recalled = notebook.recall(&mut |_, octets| service.with(|agent| take(agent, octets, now)));
    let recalled =
        recalled.with_context(|| format!("cannot read the delegations in {}", folder.display()))?;
    recalled.named.iter().for_each(|struck| warn!("not remembered: {struck}"));
    if let Some(why) = &recalled.cut_short {
        warn!("not all delegations could be read: {why}");
    }
    info!(delegations = recalled.records, struck = recalled.struck, "remembered");
    Ok(notebook)
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
    notebook: Notebook,
    /// What could not be written yet.
    pending: BTreeSet<Prefix>,
}

/// Remembers what is in a folder, writes into it until the relay stops, and once more then.
pub(super) fn run(service: Arc<Service>, poller: Poller, folder: &Path) -> anyhow::Result<()> {
    let notebook = recall(folder, &service)?;
    let stopping = service.stopping();
    let mut memory = Memory { service, poller, notebook, pending: BTreeSet::new() };
    while !stopping.has_come() {
        let pause = memory.write_all();
        let until = pause.map(|pause| Instant::now() + pause);
        memory.wait(until, || stopping.has_come())?;
    }
    memory.write_all();
    Ok(())
}

impl Memory {
    /// Waits for that moment, or, if there is none, for work and then for more to gather.
    fn wait(&self, until: Option<Instant>, is_over: impl Fn() -> bool) -> anyhow::Result<()> {
        if let Some(until) = until {
            return self.wait_until(until, &is_over);
        }
        self.poller.wait(&[], None).context("cannot wait")?;
        let latest = Instant::now() + GATHERING_IN_RECOVERY;
        self.wait_until(Instant::now() + GATHERING, &is_over)?;
        while !is_over()
            && Instant::now() < latest
            && self.service.look(|agent| agent.recovery().is_waited_for())
        {
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

    /// Writes all that is to be written; if that fails, gives how long to wait.
    fn write_all(&mut self) -> Option<Duration> {
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
                return None;
            }
            let changes: Vec<Change<'_>> = worded
                .iter()
                .map(|worded| Change { key: &worded.key, image: worded.image.as_deref() })
                .collect();
            if let Err(error) = self.notebook.commit(&changes) {
                warn!("cannot write delegations down, will try again: {error}");
                return Some(PAUSE);
            }
            worded.iter().for_each(|worded| _ = self.pending.remove(&worded.prefix));
        }
    }
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
