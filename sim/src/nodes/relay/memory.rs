//! Writing down what is delegated, and remembering it: what the memory thread of the program does.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use relay::{Agent, image};
use wire::Prefix;
use world::{Chance, Instant, Now};

use super::around::Around;
use super::notebook::{Notebook, Record};
use crate::faults::Fault;
use crate::plan::{between, happens};

/// How long changes gather, and at the most while there is something better to do.
const GATHERING: Duration = Duration::from_millis(200);
const GATHERING_IN_RECOVERY: Duration = Duration::from_secs(5);
/// How long to wait before trying again what could not be written.
const PAUSE: Duration = Duration::from_secs(10);
/// Delegations that are put into words at once: few, so that there is more than one batch now and then.
const WORDED_AT_ONCE: usize = 3;
/// How long a record takes to be remembered; datagrams and answers come in between.
const REMEMBERING: Duration = Duration::from_millis(2);
/// How long a commit takes, and a slow one.
const COMMITTING: Duration = Duration::from_millis(4);
const SLOW_MILLIS: (u64, u64) = (100, 10_000);

/// The thread's data.
#[derive(Debug)]
pub(super) struct Memory {
    step: Step,
    has_recalled: bool,
    /// What could not be written yet.
    pending: BTreeSet<Prefix>,
}

#[derive(Debug)]
enum Step {
    /// The notebook is to be opened then.
    Closed(Instant),
    /// What it holds is being taken, the next record then.
    Recalling(VecDeque<Vec<u8>>, Instant),
    /// There is nothing to write.
    Idle,
    /// More gathers until then, or that time at the latest.
    Gathering(Instant, Instant),
    /// A batch is on its way to the disk until then.
    Committing { batch: Vec<(Prefix, Record)>, until: Instant, fails: bool },
}

impl Memory {
    pub(super) fn new(now: Instant) -> Self {
        Self { step: Step::Closed(now), has_recalled: false, pending: BTreeSet::new() }
    }

    /// When there is something to do.
    pub(super) fn deadline(&self, agent: &Agent) -> Option<Instant> {
        match &self.step {
            Step::Closed(at) | Step::Recalling(_, at) | Step::Gathering(at, _) => Some(*at),
            Step::Committing { until, .. } => Some(*until),
            Step::Idle => agent.has_unwritten().then_some(Instant::default()),
        }
    }

    /// Does what is due.
    pub(super) fn go_on(&mut self, agent: &mut Agent, around: &mut Around<'_>) {
        let now = around.now.instant;
        match &mut self.step {
            Step::Closed(at) if *at <= now => self.open(agent, around),
            Step::Recalling(records, at) if *at <= now => match records.pop_front() {
                Some(record) => {
                    take(agent, &record, around.now);
                    *at = now + REMEMBERING;
                }
                None => {
                    self.has_recalled = true;
                    self.write(agent, around);
                }
            },
            Step::Idle if agent.has_unwritten() => {
                self.step = Step::Gathering(now + GATHERING, now + GATHERING_IN_RECOVERY);
            }
            Step::Gathering(at, latest) if *at <= now => {
                if now < *latest && has_better_to_do(agent) {
                    *at = now + GATHERING;
                } else {
                    self.write(agent, around);
                }
            }
            Step::Committing { until, .. } if *until <= now => self.written(agent, around),
            _ => {}
        }
    }

    /// Only the first time the agent takes what was written down: later it knows better.
    fn open(&mut self, agent: &mut Agent, around: &mut Around<'_>) {
        let now = around.now.instant;
        if around.out.strikes(Fault::CommitFails) {
            self.step = Step::Closed(now + PAUSE);
        } else if self.has_recalled {
            self.write(agent, around);
        } else {
            self.step = Step::Recalling(around.notebook.records().into_values().collect(), now);
        }
    }

    /// Begins to write the next batch, if there is one.
    fn write(&mut self, agent: &mut Agent, around: &mut Around<'_>) {
        let room = WORDED_AT_ONCE.saturating_sub(self.pending.len());
        self.pending.extend(agent.take_unwritten(room));
        let now = around.now;
        let words = self.pending.iter().take(WORDED_AT_ONCE);
        let batch: Vec<_> = words.map(|prefix| (*prefix, word(agent, *prefix, now))).collect();
        if batch.is_empty() {
            self.step = Step::Idle;
            return;
        }
        let mut until = now.instant + COMMITTING;
        if around.out.strikes(Fault::SlowCommit) {
            let chance = around.out.chance(Fault::SlowCommit);
            until = now.instant + Duration::from_millis(between(chance, SLOW_MILLIS.0, SLOW_MILLIS.1));
        }
        let fails = around.out.strikes(Fault::CommitFails);
        self.step = Step::Committing { batch, until, fails };
    }

    fn written(&mut self, agent: &mut Agent, around: &mut Around<'_>) {
        let Step::Committing { batch, fails, .. } = std::mem::replace(&mut self.step, Step::Idle) else {
            return;
        };
        if fails {
            self.step = Step::Closed(around.now.instant + PAUSE);
            return;
        }
        for (prefix, _) in &batch {
            self.pending.remove(prefix);
        }
        around.notebook.write(batch.into_iter().map(|(_, record)| record).collect());
        self.write(agent, around);
    }

    /// The program is killed: what was being committed lasts or does not.
    pub(super) fn die(self, chance: &mut Chance, notebook: &mut Notebook) {
        if let Step::Committing { batch, .. } = self.step
            && happens(chance, 1, 2)
        {
            notebook.write(batch.into_iter().map(|(_, record)| record).collect());
        }
    }
}

fn take(agent: &mut Agent, octets: &[u8], now: Now) {
    let image = image::decode(octets).expect("it was written by us");
    let port = agent.port_of(image.interface_id).expect("there are few ports");
    agent.remember(image.delegation(port, now), now.instant);
}

fn word(agent: &Agent, prefix: Prefix, now: Now) -> Record {
    let held = agent.delegations().get(prefix);
    let image = held.map(|held| image::encode(&held, agent.ports().interface_id(held.port), now));
    (image::key(prefix).to_vec(), image)
}

/// Whether servers are being asked, or routes are on their way to the kernel.
fn has_better_to_do(agent: &Agent) -> bool {
    agent.recovery().is_waited_for() || !agent.routes().is_settled()
}
