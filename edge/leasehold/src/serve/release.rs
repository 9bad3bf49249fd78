//! What leaves when a commit has made it true: answers, and lines in the log.

use std::sync::Arc;

use lease::{ClientKey, LinkId};
use server::exchange::{Change, ChangeKind};
use tracing::{debug, info};
use wire::Duid;

use crate::net::{Outgoing, ServerSocket};

/// Waits for a commit.
#[derive(Debug)]
pub(super) enum Held {
    /// An answer, and the socket it leaves by.
    Answer(Arc<ServerSocket>, Outgoing),
    /// What has happened to a client's leases.
    Changes(ClientKey, Vec<Change>),
}

/// Lets everything go, answers first and in batches.
pub(super) fn release(held: Vec<Held>) {
    let mut answers: Vec<(Arc<ServerSocket>, Vec<Outgoing>)> = Vec::new();
    let mut changes = Vec::new();
    for held in held {
        match held {
            Held::Answer(socket, outgoing) => {
                match answers.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &socket)) {
                    Some((_, batch)) => batch.push(outgoing),
                    None => answers.push((socket, vec![outgoing])),
                }
            }
            Held::Changes(key, of_client) => changes.push((key, of_client)),
        }
    }
    for (socket, batch) in answers {
        socket.send(&batch);
    }
    for (ClientKey { link, duid }, of_client) in changes {
        of_client.iter().for_each(|change| log(&duid, link, change));
    }
}

/// One line for each change of a lease's state; that it goes on as it was is worth less.
fn log(client: &Duid, link: LinkId, change: &Change) {
    let Change { kind, resource } = change;
    match kind {
        ChangeKind::Extended | ChangeKind::Forgotten => debug!(%client, %link, lease = %resource, "{kind}"),
        ChangeKind::Granted | ChangeKind::Released | ChangeKind::Declined | ChangeKind::Expired => {
            info!(%client, %link, lease = %resource, "{kind}");
        }
    }
}
