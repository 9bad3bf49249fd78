//! What the relay answers to an operator's commands.
//!
//! An answer is made a portion at a time: the agent is locked for one portion, for about a millisecond,
//! and never while something is being sent. So whoever lists 128,000 delegations holds up no client.

mod clear;
mod delegations;
mod refresh;
mod route_state;
mod routes;
mod selection;
mod servers;
mod status;
#[cfg(test)]
mod tests;
mod unplaced;

use std::io;
use std::sync::Arc;

use relay::{Agent, Counters, ServerId};
use tokio::net::unix::UCred;
use wire::Duid;
use world::Instant;

use crate::config::relay::Server;
use crate::control::door::{Desk, Reply, Stop};
use crate::control::{IS_A_RELAY, Request};
use crate::kernel::{self, RouteSettings, Stranger};

pub(super) use status::counted;
pub use status::sentence;

/// Delegations or routes looked at for one portion, whether they are meant or not.
const LOOKED_AT_ONCE: usize = 1_024;

/// A relay, as its desk sees it.
pub trait Relay: Send + Sync + 'static {
    /// Does something with the agent. Whoever has to follow is woken.
    fn with<T>(&self, work: impl FnOnce(&mut Agent) -> T) -> T;

    /// What time it is.
    fn now(&self) -> Instant;

    /// What has been counted.
    fn counters(&self) -> &Counters;

    /// What the operator has decided, as far as it is shown.
    fn profile(&self) -> Profile;

    /// Messages sent to a server, and answers that have come from it.
    fn traffic(&self, server: ServerId) -> Traffic;

    /// Whose routes stand where ours would; asks the kernel, and waits for the answer.
    fn strangers(&self) -> io::Result<Vec<Stranger>> {
        kernel::strangers(&self.profile().routes)
    }

    /// Has the sessions with servers look again at what they are to do.
    fn ask_servers(&self);
}

/// What the operator has decided, as far as it is shown.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The relay's DUID.
    pub relay_id: Duid,
    /// The servers, in the order of their [`ServerId`]s.
    pub servers: Vec<Server>,
    /// By what routes are known.
    pub routes: RouteSettings,
}

/// What goes between the relay and a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages of clients that were sent to it.
    pub forwarded: u64,
    /// Answers for clients that have come from it.
    pub replies: u64,
}

impl Profile {
    /// What a server is called.
    fn server_name(&self, id: ServerId) -> String {
        let server = self.servers.get(usize::from(id.0));
        server.map(Server::label).unwrap_or_default()
    }

    /// The server that is called so.
    fn server_called(&self, name: &str) -> Option<ServerId> {
        let place = self.servers.iter().position(|server| server.label() == name)?;
        u16::try_from(place).ok().map(ServerId)
    }
}

/// Where commands to a relay are answered.
#[derive(Debug)]
pub struct RelayDesk<R> {
    /// Who is asked.
    pub relay: Arc<R>,
}

impl<R: Relay> Desk for RelayDesk<R> {
    async fn answer(&self, request: Request, from: &UCred, reply: &mut Reply) -> Result<(), Stop> {
        let relay = &*self.relay;
        match request {
            Request::Relay => status::show(relay, reply).await,
            Request::Delegations(filter) => delegations::show(relay, filter, reply).await,
            Request::Unplaced(filter) => unplaced::show(relay, &filter, reply).await,
            Request::Routes(filter) => routes::show(&self.relay, filter, reply).await,
            Request::Servers => servers::show(relay, reply).await,
            Request::Clear(clearing) => clear::clear(relay, clearing, from, reply).await,
            Request::Refresh { wait } => refresh::refresh(relay, wait, from, reply).await,
            Request::Bindings(_)
            | Request::Links
            | Request::Queries
            | Request::Counters
            | Request::Release(_)
            | Request::WouldRelease(_)
            | Request::Reconfigure(_) => Err(Stop::Refused(IS_A_RELAY.to_owned())),
        }
    }
}
