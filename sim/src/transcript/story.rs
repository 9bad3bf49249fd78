//! The steps of a transcript, each begun by a line: who does what.

use super::asking;
use super::cast::Cast;
use super::datagrams;
use super::fault::Fault;
use super::holding;
use super::lines::Line;
use super::machine;
use super::routing;
use super::stage::Act;
use super::streams;
use super::troubles;
use super::words::Words;
use crate::nodes::NodeId;

/// What a step may begin with besides a name.
const BEGINNINGS: [&str; 3] = ["after", "the next", "nothing comes to"];

/// Reads a step.
pub(super) fn step(line: &Line, cast: &Cast) -> Result<Box<dyn Act>, Fault> {
    let mut words = Words::new(line.number, &line.text);
    let act: Box<dyn Act> = if words.take("after") {
        Box::new(troubles::After(words.duration()?))
    } else if words.take("the next") {
        troubles::lost(&mut words, cast)?
    } else if words.take("nothing comes to") {
        datagrams::silence(line.number, &mut words, cast)?
    } else {
        of_somebody(line, &mut words, cast)?
    };
    words.end()?;
    Ok(act)
}

fn of_somebody(line: &Line, w: &mut Words<'_>, cast: &Cast) -> Result<Box<dyn Act>, Fault> {
    let name = w.peek().unwrap_or_default();
    let who = somebody(w, cast)?;
    if w.take("sends") {
        return datagrams::sends(who, line, w, cast);
    }
    if w.take("receives") {
        return datagrams::receives(who, line, w, cast);
    }
    if w.take("heeds nothing else") {
        return Ok(Box::new(datagrams::Heedless(who)));
    }
    if let Some(act) = streams::on_stream(name, who, line, w, cast)? {
        return Ok(act);
    }
    if let Some(act) = troubles::befalls(line.number, who, w, cast)? {
        return Ok(act);
    }
    let act = match who {
        NodeId::Server(server) => match holding::holds(server, line, w, cast)? {
            Some(act) => Some(act),
            None => match holding::drops(line.number, server, w)? {
                Some(act) => Some(act),
                None => holding::tells(line.number, server, w, cast)?,
            },
        },
        NodeId::Relay(relay) => match machine::of_machine(line.number, relay, w, cast)? {
            Some(act) => Some(act),
            None => routing::of_relay(line.number, relay, w, cast)?,
        },
        NodeId::Guest(_) => asking::of_requestor(who, line, w, cast)?,
        NodeId::Client(_) | NodeId::Requestor(_) | NodeId::Vandal(_) => None,
    };
    act.ok_or_else(|| w.fault("something that it does, as sim/transcripts/README.md lists it"))
}

/// Somebody who takes part, by name; what follows a slash names one of several streams.
pub(super) fn somebody(w: &mut Words<'_>, cast: &Cast) -> Result<NodeId, Fault> {
    let word = w.peek().unwrap_or_default();
    let name = word.split('/').next().unwrap_or_default();
    match cast.node(name) {
        Some(node) => w.next("").map(|_| node),
        None => Err(Fault::unknown(w.line, word, cast.names().chain(BEGINNINGS))),
    }
}
