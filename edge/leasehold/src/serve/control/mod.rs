//! What the server answers to an operator's commands.
//!
//! An answer is made a portion at a time: the table is locked for one portion and never while
//! something is being sent. What a portion says of changes leaves when they are durable.

mod bindings;
mod counters;
mod links;
mod queries;
mod reconfigure;
mod release;
mod selection;

use std::sync::Arc;

use lease::Seq;
use tokio::net::unix::UCred;

use super::service::Service;
use crate::control::door::{Desk, Reply, Stop};
use crate::control::{IS_A_SERVER, Request};
use crate::net::ServerSocket;

/// What can be asked about.
#[derive(Debug)]
pub(super) struct ServerDesk {
    pub(super) service: Arc<Service>,
    pub(super) sockets: Vec<Arc<ServerSocket>>,
}

impl Desk for ServerDesk {
    async fn answer(&self, request: Request, from: &UCred, reply: &mut Reply) -> Result<(), Stop> {
        let service = &*self.service;
        match request {
            Request::Bindings(filter) => bindings::show(service, filter, reply).await,
            Request::Links => links::show(service, reply).await,
            Request::Queries => queries::show(service, reply).await,
            Request::Counters => counters::show(self, reply).await,
            Request::Release(filter) => release::release(service, filter, from, reply).await,
            Request::WouldRelease(filter) => release::rehearse(service, filter, reply).await,
            Request::Reconfigure(telling) => reconfigure::reconfigure(service, telling, from, reply).await,
            Request::Relay
            | Request::Delegations(_)
            | Request::Unplaced(_)
            | Request::Routes(_)
            | Request::Servers
            | Request::Clear(_)
            | Request::Refresh { .. } => Err(Stop::Refused(IS_A_SERVER.to_owned())),
        }
    }
}

/// Waits until a change is durable.
async fn durable(service: &Service, changed: Seq) -> Result<(), Stop> {
    match service.journal.durable(changed).await {
        true => Ok(()),
        false => Err(Stop::Failed("what has changed cannot be made durable".to_owned())),
    }
}
