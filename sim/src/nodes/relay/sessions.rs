//! Asking servers: for each of them what a task of the program does, over the universe's streams.

use relay::recovery::{Attempt, Next};
use relay::{Agent, ServerId};
use world::Instant;

use super::around::Around;
use super::setup::Setup;
use crate::nodes::NodeId;
use crate::plan::addresses;
use crate::universe::{Ending, StreamId};

/// One session for each server that is asked.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: Vec<Session>,
}

/// All that is done with one server.
#[derive(Debug)]
struct Session {
    server: ServerId,
    /// Which node it is.
    number: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It is to look what there is to do.
    Looking,
    Waiting(Option<Instant>),
    /// A connection is on its way, and given up then.
    Dialling(StreamId, Box<Attempt>, Instant),
    Talking(StreamId, Box<Attempt>),
}

impl Sessions {
    /// One with each server that is known.
    pub(super) fn with(setup: &Setup) -> Self {
        let servers = (0..).map(ServerId).zip(&setup.servers);
        let all = servers.map(|(server, number)| Session { server, number: *number, state: State::Looking });
        Self { all: all.collect() }
    }

    /// Has all look again what there is to do.
    pub(super) fn wake(&mut self) {
        for session in &mut self.all {
            if matches!(session.state, State::Waiting(_)) {
                session.state = State::Looking;
            }
        }
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let deadlines = self.all.iter().filter_map(|session| match &session.state {
            State::Looking => Some(Instant::default()),
            State::Waiting(until) => *until,
            State::Dialling(_, _, give_up_at) => Some(*give_up_at),
            State::Talking(_, attempt) => attempt.next_deadline().map(|deadline| deadline.at),
        });
        deadlines.min()
    }

    /// Does what is due, for as long as there is something.
    pub(super) fn go_on(&mut self, agent: &mut Agent, setup: &Setup, around: &mut Around<'_>) {
        let now = around.now.instant;
        for at in 0..self.all.len() {
            let session = &mut self.all[at];
            match &mut session.state {
                State::Waiting(Some(until)) if *until <= now => session.state = State::Looking,
                State::Dialling(_, attempt, give_up_at) if *give_up_at <= now => {
                    attempt.unreachable("no connection in time".to_owned());
                    self.finish(at, agent, now);
                }
                State::Talking(_, attempt) => {
                    attempt.tick(now);
                    self.finish_if_over(at, agent, now);
                }
                _ => {}
            }
        }
        while let Some(session) = self.all.iter_mut().find(|session| matches!(session.state, State::Looking))
        {
            session.state = match agent.begin(session.server, now) {
                Next::Wait(until) => State::Waiting(until),
                Next::Ask(attempt) => {
                    let NodeId::Relay(own) = around.node else { unreachable!("a relay") };
                    let to = addresses::server(session.number);
                    let stream = around.out.dial(addresses::relay(own), to);
                    State::Dialling(stream, attempt, now + setup.connect_timeout)
                }
            };
        }
    }

    pub(super) fn connected(&mut self, stream: StreamId, agent: &mut Agent, now: Instant) {
        let Some(at) = self.position(stream) else { return };
        let session = &mut self.all[at];
        if let State::Dialling(_, mut attempt, _) = std::mem::replace(&mut session.state, State::Looking) {
            attempt.connected(now);
            session.state = State::Talking(stream, attempt);
            self.finish_if_over(at, agent, now);
        }
    }

    pub(super) fn wants(&self, stream: StreamId) -> bool {
        self.position(stream).is_some()
    }

    pub(super) fn hear(&mut self, stream: StreamId, octets: &[u8], agent: &mut Agent, now: Instant) {
        let Some(at) = self.position(stream) else { return };
        let Session { server, state, .. } = &mut self.all[at];
        if let State::Talking(_, attempt) = state {
            attempt.receive(octets, now, &mut |client| agent.hear(*server, client, now));
            self.finish_if_over(at, agent, now);
        }
    }

    pub(super) fn ended(&mut self, stream: StreamId, ending: Ending, agent: &mut Agent, now: Instant) {
        let Some(at) = self.position(stream) else { return };
        match &mut self.all[at].state {
            State::Dialling(_, attempt, _) => attempt.unreachable(format!("{ending:?}")),
            State::Talking(_, attempt) => attempt.peer_closed(),
            State::Looking | State::Waiting(_) => {}
        }
        self.finish(at, agent, now);
    }

    pub(super) fn output(&self, stream: StreamId) -> &[u8] {
        match self.position(stream).map(|at| &self.all[at].state) {
            Some(State::Talking(_, attempt)) => attempt.output(),
            _ => &[],
        }
    }

    pub(super) fn wrote(&mut self, stream: StreamId, octets: usize, now: Instant) {
        if let Some(at) = self.position(stream)
            && let State::Talking(_, attempt) = &mut self.all[at].state
        {
            attempt.wrote(octets, now);
        }
    }

    fn position(&self, stream: StreamId) -> Option<usize> {
        self.all.iter().position(|session| match session.state {
            State::Dialling(its, ..) | State::Talking(its, _) => its == stream,
            State::Looking | State::Waiting(_) => false,
        })
    }

    fn finish_if_over(&mut self, at: usize, agent: &mut Agent, now: Instant) {
        if matches!(&self.all[at].state, State::Talking(_, attempt) if attempt.is_over()) {
            self.finish(at, agent, now);
        }
    }

    /// Hands an attempt back. The others are woken: some things are not done while a server is being asked.
    fn finish(&mut self, at: usize, agent: &mut Agent, now: Instant) {
        let state = std::mem::replace(&mut self.all[at].state, State::Looking);
        if let State::Dialling(_, attempt, _) | State::Talking(_, attempt) = state {
            agent.finished(*attempt, now);
        }
        self.wake();
    }
}
