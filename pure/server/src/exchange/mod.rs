//! What clients send, directly or through relays, and what they are answered (RFC 9915).
//!
//! A message goes one way through here: arrived from its relays ([`Arrived`]), admitted or
//! discarded (`admit.rs`), its link found, each of its identity associations answered by the
//! function for its type (`give.rs`, `extend.rs`, `give_back.rs`), the client's record put into the
//! table, and the answer written (`reply.rs`) and wrapped for the way back. What has been put is
//! not durable yet: the caller holds the answer until it is.

mod admit;
mod association;
mod expiry;
mod extend;
mod give;
mod give_back;
mod options;
mod reconfigure;
mod record;
mod reply;
mod stateless;
mod terms;

use lease::{
    Client, ClientKey, Heard, Identifier, LeaseState, Link, LinkId, Links, RelayPath, Resource, Search, Table,
};
use wire::{Duid, MessageType, RelayChain, StatusCode};
use world::Now;

use crate::arrival::wrap;
use crate::assign::{Assigner, Identity, Standing};
use crate::limits::MAX_DECLINED_PER_CLIENT;
use crate::{Arrived, Discard, Holdings};
use admit::admit;
use association::{Answer, Asked};
use options::Wants;
use reconfigure::{KeySource, Progress};
use record::Record;
use reply::{Offering, Reply};

pub use expiry::Ended;
pub use options::{Offered, OfferedOptions};
pub use reconfigure::{Announced, Destination, NotReconfigured, Reconfiguring, Step};
pub use record::{Change, ChangeKind};
pub use terms::{LinkTerms, PoolTerms, Rules, Terms};

/// Everything that answering clients needs, but for what is held.
#[derive(Debug)]
pub struct Exchanges {
    terms: Terms,
    assigner: Assigner,
    keys: Option<KeySource>,
    reconfiguring: Progress,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The type of the answer.
    pub message_type: MessageType,
    /// Where it goes.
    pub recipient: Recipient,
    /// To whom, in the end; `None` if the client has not said.
    pub client: Option<Duid>,
    /// The link it is on, where that matters.
    pub link: Option<LinkId>,
    /// What has happened to its leases.
    pub changes: Vec<Change>,
    /// Whether the answer says what is, and not only what could be: then it must not leave before all that is
    /// in the table is durable. It waits even if it has changed nothing, since what it says may be the doing of
    /// a message before it.
    pub speaks_of_bindings: bool,
    /// What it would have released or declined and does not hold.
    pub ignored: Vec<Resource>,
    /// Whether a Reconfigure had told the client to send what it has sent.
    pub was_told_to: bool,
}

/// To whom an answer is sent; the address is always the source of the datagram that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// A client, at the port of clients.
    Client,
    /// A relay, at the port of relays.
    Relay,
    /// A relay, at the port that it sent from (RFC 8357 §5.2).
    RelayAtItsPort,
}

impl Exchanges {
    /// Answers clients on these terms, with what the assigner has to give.
    pub fn new(terms: Terms, assigner: Assigner) -> Self {
        Self { terms, assigner, keys: None, reconfiguring: Progress::default() }
    }

    /// Answers a client: the answer is appended to `out`.
    pub fn answer(
        &mut self,
        arrived: &Arrived<'_>,
        holdings: &mut Holdings,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Result<Answered, Discard> {
        let client = admit(arrived, &self.terms)?;
        let Holdings { table, links } = holdings;
        let link = arrived.link(links);
        let link_id = link.map(|link| link.id);
        let wants = Wants::of(arrived.message.options);
        let (reply, effect) = match (arrived.message.message_type, &client, link) {
            (MessageType::InformationRequest, ..) => (stateless::information(), Effect::None),
            (MessageType::Confirm, _, Some(link)) => (stateless::confirm(arrived, link)?, Effect::None),
            (_, Some(duid), Some(link)) => {
                let key = ClientKey { link: link.id, duid: duid.clone() };
                self.exchange(arrived, &wants, key, links, table, now)?
            }
            _ => return Err(Discard::NoLink),
        };
        let offering = self.offering(arrived, &wants, client.as_ref(), link_id, &reply);
        let told = reply.encode(&arrived.message, client.as_ref(), &offering)?;
        let start = out.len();
        wrap(arrived.relays.as_ref(), &told, out)?;
        // Only now: what cannot be told must not happen.
        let changes = self.apply(effect, table, now).inspect_err(|_| out.truncate(start))?;
        let message_type = arrived.message.message_type;
        let was_told_to = self.reconfiguring.heard(client.as_ref(), link_id, message_type);
        Ok(Answered {
            message_type: reply.message_type,
            recipient: recipient(arrived.relays.as_ref()),
            client,
            link: link_id,
            changes,
            speaks_of_bindings: speaks_of_bindings(message_type, reply.message_type),
            ignored: reply.ignored,
            was_told_to,
        })
    }

    /// Answers a message that speaks of bindings. Nothing has happened yet.
    fn exchange(
        &mut self,
        arrived: &Arrived<'_>,
        wants: &Wants,
        key: ClientKey,
        links: &Links,
        table: &Table,
        now: Now,
    ) -> Result<(Reply, Effect), Discard> {
        let message = &arrived.message;
        let mut exchange = Exchange {
            on_link: self.terms.rules.links.get(&key.link).ok_or(Discard::NoLink)?,
            rules: &self.terms.rules,
            links,
            link: links.by_id(key.link).ok_or(Discard::NoLink)?,
            identity: Identity { duid: &key.duid, relays: arrived.relays.as_ref() },
            wants,
            record: Record::open(table, key.clone()),
            table,
            assigner: &mut self.assigner,
            given: Vec::new(),
            ignored: Vec::new(),
            now,
        };
        let mut reply = exchange.reply(message.message_type, &association::asked(message.options)?)?;
        reply.reconfigure_accept = reconfigure::is_wanted(message, exchange.on_link);
        let Exchange { record, given, .. } = exchange;
        if reply.message_type == MessageType::Advertise {
            return Ok((reply, Effect::Offer(key, given)));
        }
        let Record { mut client, changes } = record;
        // A lease that only runs out has its client behind these relays all the same.
        if changes.is_empty() && !reply.tells_of_leases() {
            return Ok((reply, Effect::None));
        }
        client.heard = heard(arrived, now);
        client.options = options::kept(message.options);
        reply.key = self.settle_key(&mut client, message.message_type, reply.reconfigure_accept, now);
        Ok((reply, Effect::Keep(client, changes)))
    }

    /// Lets happen what an answer tells of.
    fn apply(&mut self, effect: Effect, table: &mut Table, now: Now) -> Result<Vec<Change>, Discard> {
        match effect {
            Effect::None => Ok(Vec::new()),
            Effect::Offer(key, resources) => {
                resources.into_iter().for_each(|resource| self.assigner.offer(resource, &key, now));
                Ok(Vec::new())
            }
            Effect::Keep(client, changes) => {
                self.keep(client, &changes, table)?;
                Ok(changes)
            }
        }
    }

    /// Puts a changed record into the table, and lets the assigner know.
    fn keep(&mut self, client: Client, changes: &[Change], table: &mut Table) -> Result<(), Discard> {
        if client.bindings.is_empty() {
            table.remove(&client.key);
        } else {
            table.put(&client).map_err(|_| Discard::Conflict)?;
        }
        changes.iter().for_each(|change| self.assigner.note(change.resource, table));
        Ok(())
    }

    /// What this client may be offered besides its leases, the most particular first.
    fn offering<'a>(
        &'a self,
        arrived: &'a Arrived<'_>,
        wants: &'a Wants,
        client: Option<&Duid>,
        link: Option<LinkId>,
        reply: &Reply,
    ) -> Offering<'a> {
        let mut layers = Vec::new();
        if let (Some(duid), Some(link)) = (client, link) {
            let identity = Identity { duid, relays: arrived.relays.as_ref() };
            layers.extend(self.assigner.reserved(link, &identity).into_iter().map(|kept| &kept.options));
        }
        let on_link = link.and_then(|link| self.terms.rules.links.get(&link));
        if let Some(on_link) = on_link {
            layers.extend(on_link.pools.iter().filter(|pool| reply.tells_of(pool)).map(|pool| &pool.options));
            layers.push(&on_link.options);
        }
        layers.push(&self.terms.rules.options);
        layers.retain(|layer| !layer.is_empty());
        Offering {
            terms: &self.terms,
            on_link,
            layers,
            wants,
            relays: arrived.relays.as_ref(),
            asked_in: arrived.message.message_type,
        }
    }
}

/// What an answer brings about.
enum Effect {
    None,
    /// The client has been offered these.
    Offer(ClientKey, Vec<Resource>),
    /// The client is now so, by these changes.
    Keep(Client, Vec<Change>),
}

/// One message about bindings, while it is being answered.
struct Exchange<'a> {
    rules: &'a Rules,
    on_link: &'a LinkTerms,
    links: &'a Links,
    link: &'a Link,
    identity: Identity<'a>,
    wants: &'a Wants,
    table: &'a Table,
    assigner: &'a mut Assigner,
    record: Record,
    /// What this message has been given so far.
    given: Vec<Resource>,
    /// What it names and is not the client's to end.
    ignored: Vec<Resource>,
    now: Now,
}

impl Exchange<'_> {
    fn reply(&mut self, message_type: MessageType, asked: &[Asked]) -> Result<Reply, Discard> {
        match message_type {
            MessageType::Solicit => Ok(self.solicit(asked)),
            MessageType::Request => Ok(Reply::with(asked.iter().map(|asked| self.request(asked)).collect())),
            MessageType::Renew => {
                let may_bind = self.on_link.bind_on_renew;
                Ok(Reply::with(asked.iter().map(|asked| self.extend(asked, may_bind)).collect()))
            }
            MessageType::Rebind if asked.is_empty() => Err(Discard::NothingToSay),
            MessageType::Rebind => {
                let may_bind = self.on_link.rapid_commit;
                Ok(Reply::with(asked.iter().map(|asked| self.extend(asked, may_bind)).collect()))
            }
            MessageType::Release => {
                let answers = asked.iter().filter_map(|asked| self.release(asked)).collect();
                Ok(self.success(answers))
            }
            MessageType::Decline => {
                let answers = asked.iter().filter_map(|asked| self.decline(asked)).collect();
                Ok(self.success(answers))
            }
            _ => Err(Discard::UnexpectedType),
        }
    }

    /// The answer to Release and Decline, whatever has come of them.
    fn success(&mut self, answers: Vec<Answer>) -> Reply {
        let ignored = std::mem::take(&mut self.ignored);
        Reply { status: Some(StatusCode::SUCCESS), ignored, ..Reply::with(answers) }
    }

    /// An Advertise; a Reply at once, if both sides want that and there is something to commit.
    fn solicit(&mut self, asked: &[Asked]) -> Reply {
        let reply = Reply::with(asked.iter().map(|asked| self.give(asked)).collect());
        let rapid_commit = self.wants.rapid_commit && self.on_link.rapid_commit && !self.given.is_empty();
        let message_type = if rapid_commit { MessageType::Reply } else { MessageType::Advertise };
        Reply { message_type, rapid_commit, ..reply }
    }

    /// What a resource is to this client here.
    fn standing(&self, resource: Resource) -> Standing {
        self.assigner.standing(self.link, resource, &self.identity)
    }

    /// Whether the limits leave room for one more lease.
    fn may_hold_more(&self) -> bool {
        let own = self.record.count_in(LeaseState::Active);
        if own >= self.rules.max_leases_per_client
            || self.record.count_in(LeaseState::Declined) >= MAX_DECLINED_PER_CLIENT
        {
            return false;
        }
        let Some(most) = self.rules.max_leases_per_remote_id else { return true };
        let remote_ids = self.identity.relays.into_iter().flat_map(RelayChain::hops);
        let mut remote_ids = remote_ids.filter_map(|hop| hop.remote_id());
        remote_ids.all(|remote_id| own + self.held_by_others(remote_id, most) < most)
    }

    /// Active leases of other clients with this Remote-ID, counted up to `most`.
    fn held_by_others(&self, remote_id: &[u8], most: usize) -> usize {
        let search = Search::everywhere(Identifier::Remote(remote_id.into()));
        let clients = self.table.search(&search, lease::Cursor::START).map(|(_, client)| client);
        let own = &self.record.client.key;
        let others = clients.filter(|client| client.link != own.link || client.duid != own.duid.as_ref());
        let now = self.now.unix_secs;
        let leases = others.flat_map(|client| client.leases());
        leases.filter(|held| held.lease.valid_remaining_secs(now) > 0).take(most).count()
    }
}

/// Advertise offers, and Replies to these two tell of links and of the network.
fn speaks_of_bindings(asked: MessageType, answered: MessageType) -> bool {
    answered == MessageType::Reply && !matches!(asked, MessageType::Confirm | MessageType::InformationRequest)
}

/// When and through which relays the client was heard. A path too long to be told is not kept.
fn heard(arrived: &Arrived<'_>, now: Now) -> Heard {
    let path = arrived.relays.as_ref().and_then(|relays| RelayPath::of_chain(arrived.source, relays).ok());
    Heard { at_unix_secs: now.unix_secs, path }
}

fn recipient(relays: Option<&RelayChain<'_>>) -> Recipient {
    match relays.map(RelayChain::wants_source_port) {
        None => Recipient::Client,
        Some(false) => Recipient::Relay,
        Some(true) => Recipient::RelayAtItsPort,
    }
}
