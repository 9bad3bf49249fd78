//! A requestor that uses the library understands what it reads, no more and no less: each client that octets tell
//! of, with its leases and times, in order; and each end of an answer as what it is. And octets arrive as they were
//! written: in order, each once.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;

use requestor::{Gap, Lease, Outcome, Resource};

use super::told::{self, Frames, Range, ToldClient, all, client_data, error_status, message, option};
use crate::nodes::NodeId;
use crate::properties::Property;
use crate::universe::{Datagram, Heard, Observed, StreamId, Universe, Via};

/// Looks at all that requestors read and say that they have understood.
#[derive(Debug, Default)]
pub(in crate::properties) struct Understood {
    talks: BTreeMap<(NodeId, StreamId), Talk>,
    /// What is on its way on a stream, by who has written it.
    written: BTreeMap<(NodeId, StreamId), VecDeque<u8>>,
    /// What was in the datagram that arrives in this step.
    datagram: Option<ToldClient>,
    exercised: u64,
}

#[derive(Debug, Default)]
struct Talk {
    heard: Frames,
    expected: VecDeque<Expected>,
}

/// What is to be understood next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    Client([u8; 3], ToldClient),
    End([u8; 3], End),
}

/// How a question ends by the octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Empty,
    Refused(u16),
    Partial(u16),
}

impl Property for Understood {
    fn name(&self) -> &'static str {
        "understood"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Wrote(node, stream, octets) => {
                self.written.entry((*node, *stream)).or_default().extend(octets.iter());
            }
            Observed::Read(node, stream, octets) => {
                self.arrives(*node, *stream, octets)?;
                if matches!(node, NodeId::Requestor(number) if universe.nodes.requestors[*number].is_honest())
                {
                    let talk = self.talks.entry((*node, *stream)).or_default();
                    let messages = talk.heard.push(octets);
                    talk.expected.extend(messages.iter().filter_map(|octets| expected(octets)));
                }
            }
            Observed::Over(stream) => {
                self.written.retain(|(_, its), _| its != stream);
                self.talks.retain(|(_, its), talk| its != stream || !talk.expected.is_empty());
            }
            Observed::Arriving(NodeId::Requestor(_), datagram) => self.datagram = in_datagram(datagram),
            Observed::Understood(node, via, id, heard) => {
                self.understands(*node, *via, id.octets(), heard)?
            }
            Observed::QuestionEnded(node, Via::Stream(stream), id, outcome) => {
                self.ends((*node, *stream), id.octets(), outcome)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, _universe: &Universe) -> Result<(), String> {
        self.datagram = None;
        for ((node, stream), talk) in &mut self.talks {
            if let Some(expected) = talk.expected.pop_front() {
                return Err(format!("{node} has not understood on {stream}: {expected:?}"));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Understood {
    fn arrives(&mut self, node: NodeId, stream: StreamId, octets: &[u8]) -> Result<(), String> {
        let of_others =
            self.written.iter_mut().filter(|((writer, its), _)| *its == stream && *writer != node);
        for (_, written) in of_others {
            let expected: Vec<u8> = written.drain(..octets.len().min(written.len())).collect();
            if expected == octets {
                return Ok(());
            }
        }
        Err(format!("{node} has read from {stream} what was not written"))
    }

    fn understands(&mut self, node: NodeId, via: Via, id: [u8; 3], heard: &Heard) -> Result<(), String> {
        self.exercised += 1;
        let told = match via {
            Via::Datagram(..) => self.datagram.clone(),
            Via::Stream(stream) => {
                let talk = self.talks.get_mut(&(node, stream));
                match talk.and_then(|talk| talk.expected.pop_front()) {
                    Some(Expected::Client(its, told)) if its == id => Some(told),
                    _ => None,
                }
            }
        };
        if told.as_ref().is_some_and(|told| is_same(told, heard)) {
            return Ok(());
        }
        Err(format!("{node} has understood by {via} {heard:?}, and was told {told:?}"))
    }

    fn ends(&mut self, talk: (NodeId, StreamId), id: [u8; 3], outcome: &Outcome) -> Result<(), String> {
        self.exercised += 1;
        let end = match outcome {
            Outcome::Done => End::Done,
            Outcome::Empty => End::Empty,
            Outcome::Refused(refusal) => End::Refused(refusal.code.0),
            Outcome::Partial(refusal) => End::Partial(refusal.code.0),
            Outcome::Incomplete(Gap::Closed | Gap::Silent | Gap::Blocked) => return Ok(()),
            Outcome::Incomplete(gap) => return Err(format!("{} on {}: {gap}", talk.0, talk.1)),
        };
        let expected = self.talks.get_mut(&talk).and_then(|talk| talk.expected.pop_front());
        if expected == Some(Expected::End(id, end)) {
            return Ok(());
        }
        Err(format!(
            "{} on {}: {id:02x?} ended with {outcome:?}, and was to end {expected:?}",
            talk.0, talk.1
        ))
    }
}

/// What a requestor is to make of a message.
fn expected(octets: &[u8]) -> Option<Expected> {
    let message = message(octets)?;
    let client = all(&message.options, option::CLIENT_DATA).first().and_then(|data| client_data(data));
    let status = error_status(&message.options);
    match (message.kind, client, status) {
        (told::REPLY | told::DATA, Some(client), None) => Some(Expected::Client(message.id, client)),
        (told::REPLY, None, None) => Some(Expected::End(message.id, End::Empty)),
        (told::REPLY, None, Some(code)) => Some(Expected::End(message.id, End::Refused(code))),
        (told::DONE, None, None) => Some(Expected::End(message.id, End::Done)),
        (told::DONE, None, Some(code)) => Some(Expected::End(message.id, End::Partial(code))),
        _ => None,
    }
}

fn in_datagram(datagram: &Datagram) -> Option<ToldClient> {
    let message = message(&datagram.octets).filter(|message| message.kind == told::REPLY)?;
    client_data(all(&message.options, option::CLIENT_DATA).first()?)
}

fn is_same(told: &ToldClient, heard: &Heard) -> bool {
    let ToldClient { duid, clt_time, leases, relay_data, others: _ } = told;
    let innermost = relay_data.as_ref().map(|(_, path)| innermost(path));
    let told_leases = leases.iter().map(|lease| (lease.range, lease.preferred_secs, lease.valid_secs));
    let heard_leases =
        heard.leases.iter().map(|lease| (range(lease), lease.preferred_secs, lease.valid_secs));
    heard.client.octets() == duid
        && heard.last_heard_secs == Some(*clt_time)
        && innermost.flatten() == heard.innermost
        && told_leases.eq(heard_leases)
}

fn innermost(path: &[u8]) -> Option<(Ipv6Addr, Ipv6Addr)> {
    told::levels(path).last().map(|level| (level.link, level.peer))
}

fn range(lease: &Lease) -> Range {
    match lease.resource {
        Resource::Address(address) => Range { address, length: 128 },
        Resource::Prefix(prefix) => Range { address: prefix.address(), length: prefix.length() },
    }
}
