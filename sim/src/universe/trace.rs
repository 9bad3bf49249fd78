//! What is written down of a run: always a digest, by which two runs of one seed are compared; lines for a
//! reader only if one wants them.

use std::fmt;
use std::hash::{Hash, Hasher};

use wire::ClientMessage;
use world::Instant;
use xxhash_rust::xxh3::Xxh3Default;

use super::{Datagram, Observed};
use crate::nodes::relay::Place;
use crate::reading::innermost;

/// The account of a run.
#[derive(Default)]
pub struct Trace {
    digest: Xxh3Default,
    wants_lines: bool,
    lines: Vec<String>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("digest", &self.digest())
            .field("lines", &self.lines)
            .finish_non_exhaustive()
    }
}

impl Trace {
    /// Keeps lines from now on.
    pub fn keep_lines(&mut self) {
        self.wants_lines = true;
    }

    /// The lines since the last time.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// What stands for everything that has happened.
    pub fn digest(&self) -> u64 {
        self.digest.finish()
    }

    /// Notes something.
    pub(super) fn note(&mut self, now: Instant, observed: &Observed) {
        self.fold(now, observed);
        if self.wants_lines {
            let secs = now.since(Instant::default()).as_secs_f64();
            self.lines.push(format!("{secs:>12.6}  {}", line(observed)));
        }
    }

    fn fold(&mut self, now: Instant, observed: &Observed) {
        now.since(Instant::default()).hash(&mut self.digest);
        std::mem::discriminant(observed).hash(&mut self.digest);
        match observed {
            Observed::Sent(datagram) | Observed::Arriving(_, datagram) => {
                (&datagram.octets, datagram.source, datagram.destination).hash(&mut self.digest);
            }
            Observed::Wrote(node, stream, octets) | Observed::Read(node, stream, octets) => {
                (node, stream, octets).hash(&mut self.digest);
            }
            Observed::Opened(stream, ..) | Observed::Over(stream) => stream.hash(&mut self.digest),
            Observed::Killed(node) | Observed::Started(node) | Observed::Recovered(node) => {
                node.hash(&mut self.digest);
            }
            Observed::Moved(node, segment) => (node, segment).hash(&mut self.digest),
            Observed::RouteChanged(node, change) => (node, change.destination()).hash(&mut self.digest),
            Observed::StrangerCame(node, place) | Observed::StrangerLeft(node, place) => {
                (node, place).hash(&mut self.digest);
            }
            Observed::Changed(node, images) => {
                (node, images.len()).hash(&mut self.digest);
                images.iter().for_each(|image| (&image.key, &image.image).hash(&mut self.digest));
            }
            Observed::Committed(node, count) => (node, count).hash(&mut self.digest),
            Observed::Made(node, via, octets) => (node, via, octets).hash(&mut self.digest),
            Observed::TurnedAway(node, stream) => (node, stream).hash(&mut self.digest),
            Observed::Left(node, stream, close) => {
                (node, stream, format!("{close:?}")).hash(&mut self.digest);
            }
            Observed::Asked(node, server, via, id, _) => (node, server, via, id).hash(&mut self.digest),
            Observed::Understood(node, via, id, heard) => {
                (node, via, id, heard.client.octets(), heard.leases.len()).hash(&mut self.digest);
            }
            Observed::QuestionEnded(node, via, id, outcome) => {
                (node, via, id, format!("{outcome:?}")).hash(&mut self.digest);
            }
            Observed::QuestionDropped(node, via, id) => (node, via, id).hash(&mut self.digest),
            Observed::Befell(fault, node) => (fault, node).hash(&mut self.digest),
            Observed::Calm => {}
        }
    }
}

fn line(observed: &Observed) -> String {
    match observed {
        Observed::Sent(datagram) => format!("{} sends {}", datagram.sender, told(datagram)),
        Observed::Arriving(node, datagram) => format!("{node} hears {}", told(datagram)),
        Observed::Wrote(node, stream, octets) => format!("{node} writes {} octets to {stream}", octets.len()),
        Observed::Read(node, stream, octets) => format!("{node} reads {} octets from {stream}", octets.len()),
        Observed::Opened(stream, from, to) => format!("{stream} is opened by {from} to {to}"),
        Observed::Over(stream) => format!("{stream} is over"),
        Observed::Killed(node) => format!("{node} is killed"),
        Observed::Started(node) => format!("{node} starts"),
        Observed::RouteChanged(node, change) => format!("{node} has its kernel {change:?}"),
        Observed::Moved(node, segment) => format!("{node} is carried to link {}", segment.0),
        Observed::StrangerCame(node, place) => {
            format!("{node} has a stranger's route to {}", told_place(place))
        }
        Observed::StrangerLeft(node, place) => {
            format!("{node} has no stranger's route to {}", told_place(place))
        }
        Observed::Recovered(node) => format!("{node} is in sync"),
        Observed::Changed(node, images) => format!("{node} has {} change(s) to commit", images.len()),
        Observed::Committed(node, count) => format!("{node} has committed {count} change(s)"),
        Observed::Made(node, via, octets) => format!("{node} makes {} octets for {via}", octets.len()),
        Observed::TurnedAway(node, stream) => format!("{node} turns {stream} away"),
        Observed::Left(node, stream, close) => format!("{node} leaves {stream}: {close:?}"),
        Observed::Asked(node, server, via, id, question) => {
            format!("{node} asks {server} by {via}, {id}: {question:?}")
        }
        Observed::Understood(node, via, id, heard) => {
            format!("{node} hears by {via}, {id}, of {} with {} lease(s)", heard.client, heard.leases.len())
        }
        Observed::QuestionEnded(node, via, id, outcome) => {
            format!("{node} has its question by {via}, {id}, ended: {outcome:?}")
        }
        Observed::QuestionDropped(node, via, id) => format!("{node} drops its question by {via}, {id}"),
        Observed::Befell(fault, Some(node)) => format!("{fault} befalls {node}"),
        Observed::Befell(fault, None) => format!("{fault}"),
        Observed::Calm => "nothing goes wrong any more".to_owned(),
    }
}

fn told_place(place: &Place) -> String {
    format!("{} metric {}", place.destination, place.metric)
}

fn told(datagram: &Datagram) -> String {
    let Datagram { source, destination, octets, .. } = datagram;
    let (message, hops) = innermost(octets);
    let what = match ClientMessage::decode(message) {
        Ok(message) => format!("{} {}", message.message_type, message.transaction_id),
        Err(error) => format!("{} octets that do not decode ({error})", octets.len()),
    };
    let by = if hops > 0 { format!(" in {hops} relay message(s)") } else { String::new() };
    format!("{what}{by} from {source} to {destination}")
}
