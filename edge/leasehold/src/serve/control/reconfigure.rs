//! `reconfigure`: clients that are told to speak up, portion by portion. Whoever has to wait for a
//! place among those being told waits until one of them is through.

use std::collections::{BTreeSet, VecDeque};

use lease::{ClientKey, Cursor, Links, Seq};
use server::exchange::NotReconfigured;
use tokio::net::unix::UCred;
use tokio::sync::broadcast::{self, error::RecvError};
use tracing::info;

use super::super::service::Service;
use super::durable;
use super::release::find;
use super::selection::Selection;
use crate::control::door::{Reply, Stop};
use crate::control::{Filter, Outcome, State, Telling, Told};

/// Tells clients, or says who could be told.
pub(super) async fn reconfigure(
    service: &Service,
    telling: Telling,
    from: &UCred,
    reply: &mut Reply,
) -> Result<(), Stop> {
    let asked = telling.to_string();
    let Telling { filter, message, dry_run, wait } = telling;
    if !filter.states.is_empty() {
        return Err(Stop::Refused("clients are told for what is theirs now".to_owned()));
    }
    let filter = Filter { states: vec![State::Active], ..filter };
    let selection = Selection::new(filter, &service.holdings().links).map_err(Stop::Refused)?;
    let mut round = Round {
        service,
        // Before anybody is told, so that no outcome is missed.
        outcomes: service.outcomes(),
        announced: message.into(),
        dry_run,
        wait,
        waited_for: BTreeSet::new(),
        told: 0,
    };
    let result = round.go(&selection, reply).await;
    if !dry_run {
        let (told, complete) = (round.told, result.is_ok());
        info!(uid = from.uid(), pid = from.pid(), asked, told, complete, "reconfigured by hand");
    }
    result
}

/// One command while it is carried out.
struct Round<'a> {
    service: &'a Service,
    outcomes: broadcast::Receiver<(ClientKey, Outcome)>,
    announced: server::exchange::Announced,
    dry_run: bool,
    wait: bool,
    /// Whose outcome is still to be shown.
    waited_for: BTreeSet<ClientKey>,
    told: usize,
}

impl Round<'_> {
    async fn go(&mut self, selection: &Selection, reply: &mut Reply) -> Result<(), Stop> {
        let mut place = Some(Cursor::START);
        while let Some(from) = place {
            let (keys, next, seq) = find(self.service, selection, from);
            reply.send_when(durable(self.service, seq)).await?;
            let mut keys = VecDeque::from(keys);
            while !keys.is_empty() {
                let seq = self.tell(&mut keys, reply);
                reply.send_when(durable(self.service, seq)).await?;
                if !keys.is_empty() {
                    self.next_outcome(reply).await?;
                }
            }
            place = next;
        }
        while !self.waited_for.is_empty() {
            self.next_outcome(reply).await?;
        }
        Ok(())
    }

    /// Tells as many as there is room for; gives the latest change that the portion speaks of.
    fn tell(&mut self, keys: &mut VecDeque<ClientKey>, reply: &mut Reply) -> Seq {
        let Self { service, announced, dry_run, wait, waited_for, told, .. } = self;
        let now = service.now();
        let ((), seq) = service.change(|exchanges, holdings| {
            while let Some(key) = keys.front() {
                let result = if *dry_run {
                    exchanges.may_reconfigure(key, &holdings.table, now)
                } else {
                    exchanges.reconfigure(key.clone(), *announced, holdings, now)
                };
                let outcome = match result {
                    Err(NotReconfigured::TooMany) => break,
                    Err(why) => Outcome::of(why),
                    Ok(()) => {
                        *told += 1;
                        (!*wait).then_some(Outcome::Told)
                    }
                };
                match outcome {
                    Some(outcome) => reply.item(&item(key, outcome, &holdings.links)),
                    None => _ = waited_for.insert(key.clone()),
                }
                keys.pop_front();
            }
            ((), Vec::new())
        });
        seq
    }

    /// Waits until any client is through, and shows it if it is one of ours.
    async fn next_outcome(&mut self, reply: &mut Reply) -> Result<(), Stop> {
        match reply.unless_stopping(self.outcomes.recv()).await? {
            Ok((key, outcome)) => {
                if self.waited_for.remove(&key) {
                    reply.item(&item(&key, outcome, &self.service.holdings().links));
                    reply.send().await?;
                }
                Ok(())
            }
            Err(RecvError::Lagged(_)) if self.waited_for.is_empty() => Ok(()),
            Err(RecvError::Lagged(_)) => {
                Err(Stop::Failed("what was shown was read too slowly, and the rest is lost".to_owned()))
            }
            Err(RecvError::Closed) => Err(Stop::Failed("nobody tells clients any more".to_owned())),
        }
    }
}

fn item(key: &ClientKey, outcome: Outcome, links: &Links) -> Told {
    let link_name = links.by_id(key.link).map(|link| link.name.clone());
    Told { duid: key.duid.to_string(), link: key.link.0, link_name, outcome }
}
