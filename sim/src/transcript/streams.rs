//! Steps about streams: somebody connects, writes and reads messages in frames, closes or is closed on.
//!
//! A stream has the name of who speaks on it, with a slash and more if there are several: `Q1` and `Q1/b`.

use std::net::Ipv6Addr;
use std::time::Duration;

use super::cast::Cast;
use super::datagrams::somewhere;
use super::expect;
use super::fault::Fault;
use super::lines::Line;
use super::message::{self, Context, Head, Message, Purpose};
use super::octets;
use super::stage::{Act, Mishap, PATIENCE, Stage};
use super::told::tell;
use super::words::Words;
use crate::nodes::NodeId;
use crate::nodes::guests::PeerStream;
use crate::universe::Ending;

/// What happens on a stream, or is to happen.
enum What {
    Connects { to: Ipv6Addr, room: Option<usize> },
    Accepts(Duration),
    IsRefused(Duration),
    Writes { message: Message, piece: Option<usize> },
    Reads { message: Message, within: Duration },
    Skips(Message),
    SaysNoMore,
    Closes,
    Resets,
    StopsReading,
    ReadsOn,
    IsClosed(Duration),
    IsReset(Duration),
}

struct OnStream {
    line: usize,
    name: String,
    who: NodeId,
    what: What,
}

/// Steps whose verb is about a stream; none if it is not.
pub(super) fn on_stream(
    name: &str,
    who: NodeId,
    line: &Line,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<Option<Box<dyn Act>>, Fault> {
    let what = if w.take("connects to") {
        let to = somewhere(w, cast)?;
        let room = if w.take("with room for") { Some(w.number()?) } else { None };
        if room.is_some() {
            w.expect("octets")?;
        }
        What::Connects { to, room }
    } else if w.take("accepts") {
        What::Accepts(within(w)?)
    } else if w.take("cannot connect") {
        What::IsRefused(within(w)?)
    } else if w.take("writes") {
        let piece = if w.take("in pieces of") { Some(w.number()?) } else { None };
        What::Writes { message: message::below(line, Context { cast, purpose: Purpose::Sent })?, piece }
    } else if w.take("reads on") {
        What::ReadsOn
    } else if w.take("reads") {
        let within = within(w)?;
        What::Reads { message: message::below(line, Context { cast, purpose: Purpose::Expected })?, within }
    } else if w.take("skips") {
        What::Skips(message::below(line, Context { cast, purpose: Purpose::Expected })?)
    } else if w.take("says no more") {
        What::SaysNoMore
    } else if w.take("closes") {
        What::Closes
    } else if w.take("resets") {
        What::Resets
    } else if w.take("stops reading") {
        What::StopsReading
    } else if w.take("is closed") {
        What::IsClosed(within(w)?)
    } else if w.take("is reset") {
        What::IsReset(within(w)?)
    } else {
        return Ok(None);
    };
    Ok(Some(Box::new(OnStream { line: line.number, name: name.to_owned(), who, what })))
}

fn within(w: &mut Words<'_>) -> Result<Duration, Fault> {
    if w.take("within") { w.duration() } else { Ok(PATIENCE) }
}

impl Act for OnStream {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        match &self.what {
            What::Connects { to, room } => self.connect(*to, *room, stage),
            What::Accepts(within) => self.accept(*within, stage),
            What::IsRefused(within) => self.ends(*within, Ending::Refused, "it has not been refused", stage),
            What::Writes { message, piece } => self.write(message, *piece, stage),
            What::Reads { message, within } => self.read(message, *within, stage),
            What::Skips(message) => self.skip(message, stage),
            What::SaysNoMore => self.change(stage, |stream| stream.has_said_all = true),
            What::Closes => self.change(stage, |stream| stream.is_done = true),
            What::StopsReading => self.change(stage, |stream| stream.is_reading = false),
            What::ReadsOn => self.change(stage, |stream| stream.is_reading = true),
            What::Resets => {
                let stream = self.stream(stage)?;
                stage.universe.reset(stream);
                self.change(stage, |stream| stream.is_done = true)
            }
            What::IsClosed(within) => self.ends(*within, Ending::Closed, "it has not been closed", stage),
            What::IsReset(within) => self.ends(*within, Ending::Reset, "it has not been reset", stage),
        }
    }
}

impl OnStream {
    fn mishap(&self, what: impl Into<String>) -> Mishap {
        Mishap::new(self.line, what)
    }

    fn stream(&self, stage: &Stage) -> Result<crate::universe::StreamId, Mishap> {
        let known = stage.streams.get(&self.name).map(|(_, stream)| *stream);
        known.ok_or_else(|| self.mishap(format!("{} has no stream", self.name)))
    }

    fn state<'a>(&self, stage: &'a mut Stage) -> Option<&'a mut PeerStream> {
        let stream = stage.streams.get(&self.name).map(|(_, stream)| *stream)?;
        stage.peer(self.who)?.streams.get_mut(&stream)
    }

    fn change(&self, stage: &mut Stage, change: impl FnOnce(&mut PeerStream)) -> Result<(), Mishap> {
        self.stream(stage)?;
        self.state(stage).map(change);
        stage.universe.with(self.who, |_, _, _| {});
        stage.keep_trace();
        Ok(())
    }

    fn connect(&self, to: Ipv6Addr, room: Option<usize>, stage: &mut Stage) -> Result<(), Mishap> {
        let base = self.name.split('/').next().unwrap_or_default();
        let from = stage.cast.address(base).ok_or_else(|| self.mishap("it has no address"))?;
        let mut dialled = None;
        stage.universe.with(self.who, |_, _, out| dialled = Some(out.dial(from, to)));
        let stream = dialled.ok_or_else(|| self.mishap("nothing was dialled"))?;
        stage.streams.insert(self.name.clone(), (self.who, stream));
        if let Some(peer) = stage.peer(self.who) {
            peer.dialled(stream);
        }
        let is_decided = |stage: &mut Stage| {
            self.state(stage).is_some_and(|stream| stream.is_connected || stream.ending.is_some())
        };
        stage.within(PATIENCE, is_decided);
        if let Some(room) = room {
            stage.universe.set_room(stream, room);
        }
        Ok(())
    }

    fn accept(&self, within: Duration, stage: &mut Stage) -> Result<(), Mishap> {
        let who = self.who;
        let has_come = |stage: &mut Stage| stage.peer(who).is_some_and(|peer| !peer.accepted.is_empty());
        if !stage.within(within, has_come) {
            return Err(self.mishap(format!("nobody has connected to {} within {within:?}", stage.name(who))));
        }
        if let Some(stream) = stage.peer(who).and_then(|peer| peer.accepted.pop_front()) {
            stage.streams.insert(self.name.clone(), (who, stream));
        }
        Ok(())
    }

    fn write(&self, message: &Message, piece: Option<usize>, stage: &mut Stage) -> Result<(), Mishap> {
        let octets = octets::encode(message, &stage.bindings).map_err(|what| self.mishap(what))?;
        // Octets are written as they are: they may be several frames, or none.
        let framed = match (&message.head, u16::try_from(octets.len())) {
            (Head::Octets(_), _) => octets,
            (_, Ok(length)) => [length.to_be_bytes().as_slice(), &octets].concat(),
            (_, Err(_)) => return Err(self.mishap("the message does not fit into a frame")),
        };
        for part in framed.chunks(piece.unwrap_or(framed.len()).max(1)) {
            self.change(stage, |stream| stream.output.extend_from_slice(part))?;
            if piece.is_some() {
                stage.pass(Duration::from_millis(10));
            }
        }
        Ok(())
    }

    fn read(&self, message: &Message, within: Duration, stage: &mut Stage) -> Result<(), Mishap> {
        self.stream(stage)?;
        let expected = tell(message, &stage.cast);
        let has_frame = |stage: &mut Stage| self.state(stage).is_some_and(|stream| frame(stream).is_some());
        if !stage.within(within, has_frame) {
            let ending = self.state(stage).and_then(|stream| stream.ending);
            let what = match ending {
                Some(ending) => {
                    format!("{} has read nothing, and the stream is over ({ending:?})", self.name)
                }
                None => format!("{} has read nothing within {within:?}", self.name),
            };
            return Err(self.mishap(what).show("expected", expected));
        }
        let octets = self.state(stage).and_then(take_frame).unwrap_or_default();
        let came = octets::decode(&octets);
        let told = tell(&came, &stage.cast);
        let Stage { cast, bindings, .. } = stage;
        expect::fits(message, &came, cast, bindings).map_err(|mismatch| {
            Mishap::new(mismatch.line, mismatch.what).show("expected", expected).show("came", told)
        })?;
        stage.universe.with(self.who, |_, _, _| {});
        Ok(())
    }

    /// Reads all that fits, and nothing behind it.
    fn skip(&self, message: &Message, stage: &mut Stage) -> Result<(), Mishap> {
        self.read(message, PATIENCE, stage)?;
        loop {
            let has_frame =
                |stage: &mut Stage| self.state(stage).is_some_and(|stream| frame(stream).is_some());
            if !stage.within(PATIENCE, has_frame) {
                return Ok(());
            }
            let came = self.state(stage).and_then(|stream| {
                let range = frame(stream)?;
                Some(octets::decode(&stream.input.range(range).copied().collect::<Vec<u8>>()))
            });
            let Stage { cast, bindings, .. } = stage;
            let fits = came.is_some_and(|came| expect::fits(message, &came, cast, bindings).is_ok());
            if !fits {
                return Ok(());
            }
            self.state(stage).and_then(take_frame);
            stage.universe.with(self.who, |_, _, _| {});
        }
    }

    fn ends(&self, within: Duration, how: Ending, not: &str, stage: &mut Stage) -> Result<(), Mishap> {
        self.stream(stage)?;
        let is_over = |stage: &mut Stage| self.state(stage).is_some_and(|stream| stream.ending.is_some());
        if !stage.within(within, is_over) {
            return Err(self.mishap(format!("{not} within {within:?}")));
        }
        let Some(stream) = self.state(stage) else { return Ok(()) };
        if stream.ending != Some(how) {
            return Err(self.mishap(format!("it has ended otherwise: {:?}", stream.ending)));
        }
        if let Some(octets) = frame(stream).map(|range| range.len()) {
            let came = take_frame(stream).map(|octets| octets::decode(&octets));
            let mishap = self.mishap(format!("before it has ended, a frame of {octets} octets has come"));
            return Err(match came {
                Some(came) => mishap.show("came", tell(&came, &stage.cast)),
                None => mishap,
            });
        }
        Ok(())
    }
}

/// Where the first frame is, if it is whole.
fn frame(stream: &PeerStream) -> Option<std::ops::Range<usize>> {
    let length = u16::from_be_bytes([*stream.input.front()?, *stream.input.get(1)?]);
    let end = 2 + usize::from(length);
    (stream.input.len() >= end).then_some(2..end)
}

fn take_frame(stream: &mut PeerStream) -> Option<Vec<u8>> {
    let range = frame(stream)?;
    let octets: Vec<u8> = stream.input.drain(..range.end).collect();
    Some(octets[range].to_vec())
}
