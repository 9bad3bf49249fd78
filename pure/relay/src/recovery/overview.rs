//! What is to be seen of a recovery, and what may be concluded from it.

use wire::Prefix;
use world::Instant;

use super::server::{Phase, Server, Tally, Trouble};
use super::state::Recovery;
use super::unplaced::Unplaced;
use crate::delegations::ServerId;
use crate::ports::PortId;

/// Whether every server has said all that it knows in this epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Every one.
    Complete,
    /// These have not, or are not asked at all.
    Lacking(Vec<ServerId>),
}

/// What an operator wants to know first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No server is to be asked.
    NotAsking,
    /// Some have not said all that they know yet, and nothing is wrong.
    Recovering(Progress),
    /// All have.
    InSync {
        /// When the last of them had.
        since: Instant,
    },
    /// Some do not answer.
    Degraded {
        /// Which, why, and since when.
        lacking: Vec<(ServerId, Trouble)>,
        /// And the others.
        progress: Progress,
    },
}

/// How far the recovery has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Servers that have said all that they know.
    pub done: usize,
    /// Servers that are asked.
    pub asked: usize,
    /// What all have told.
    pub tally: Tally,
}

/// What is known of one server.
#[derive(Debug, Clone, Copy)]
pub struct ServerView<'a> {
    /// Which.
    pub server: ServerId,
    /// How far it has come.
    pub phase: Phase,
    /// When it last had said all that it knew.
    pub last_done: Option<Instant>,
    /// What is wrong, if anything is.
    pub trouble: Option<&'a Trouble>,
    /// What it has told in this epoch.
    pub tally: Tally,
}

impl Recovery {
    /// Whether every server has said all that it knows. One that is not asked never has.
    pub fn completeness(&self) -> Completeness {
        let lacking = self.numbered().filter(|(_, server)| !server.is_done());
        let lacking: Vec<_> = lacking.map(|(id, _)| id).collect();
        if lacking.is_empty() && !self.servers.is_empty() {
            Completeness::Complete
        } else {
            Completeness::Lacking(lacking)
        }
    }

    /// Whether the servers' silence about this prefix means that it is no longer delegated: every one
    /// has answered in this epoch, was asked about the port where the prefix was last seen (`None`: on
    /// none that is known), and does not list it among what cannot be placed.
    pub fn may_sweep(&self, port: Option<PortId>, prefix: Prefix) -> bool {
        let silent =
            |server: &Server| server.is_done() && server.covers(port) && !server.unplaced.may_hold(prefix);
        !self.servers.is_empty() && self.servers.iter().all(silent)
    }

    /// What an operator wants to know first.
    pub fn state(&self) -> State {
        let progress = self.progress();
        let troubled = |(id, server): (ServerId, &Server)| Some((id, server.trouble.clone()?));
        let lacking: Vec<_> = self.numbered().filter_map(troubled).collect();
        if progress.asked == 0 {
            State::NotAsking
        } else if !lacking.is_empty() {
            State::Degraded { lacking, progress }
        } else if progress.done < progress.asked {
            State::Recovering(progress)
        } else {
            State::InSync { since: self.last_done() }
        }
    }

    /// Whether there is a server that is to be asked and has neither told all that it knows nor failed.
    pub fn is_waited_for(&self) -> bool {
        self.servers.iter().any(|server| match server.phase {
            Phase::Asking { .. } => true,
            Phase::Waiting { .. } => server.trouble.is_none(),
            Phase::NotAsked | Phase::Done { .. } | Phase::Refused { .. } => false,
        })
    }

    fn last_done(&self) -> Instant {
        let done = self.servers.iter().filter_map(|server| match server.phase {
            Phase::Done { at } => Some(at),
            _ => None,
        });
        done.max().unwrap_or(self.epoch.began)
    }

    /// How far the recovery has come.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress::default();
        for server in self.servers.iter().filter(|server| server.is_asked()) {
            progress.asked += 1;
            progress.done += usize::from(server.is_done());
            progress.tally.add(server.tally);
        }
        progress
    }

    /// What is known of each server.
    pub fn servers(&self) -> impl Iterator<Item = ServerView<'_>> {
        self.numbered().map(|(id, server)| ServerView {
            server: id,
            phase: server.phase,
            last_done: server.last_done,
            trouble: server.trouble.as_ref(),
            tally: server.tally,
        })
    }

    /// What could not be placed: at most [`crate::limits::MAX_UNPLACED`]; the [`Tally`] counts them all.
    pub fn unplaced(&self) -> impl Iterator<Item = &Unplaced> {
        self.servers.iter().flat_map(|server| server.unplaced.iter())
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        let Self { clients, leases, unplaced, outside } = other;
        self.clients += clients;
        self.leases += leases;
        self.unplaced += unplaced;
        self.outside += outside;
    }
}
