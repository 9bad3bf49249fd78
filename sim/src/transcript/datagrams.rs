//! Steps about datagrams: somebody sends one, somebody receives one, nothing comes.

use std::net::Ipv6Addr;
use std::time::Duration;

use wire::{CLIENT_PORT, SERVER_PORT};

use super::cast::Cast;
use super::expect;
use super::fault::Fault;
use super::lines::Line;
use super::message::{self, Context, Message, Purpose};
use super::octets;
use super::site::{IN_CORE, OF_CLIENT};
use super::stage::{Act, Mishap, PATIENCE, Stage};
use super::told::tell;
use super::words::Words;
use crate::nodes::NodeId;
use crate::universe::{ALL_RELAYS_AND_SERVERS, Datagram, Outgoing};

/// Somebody sends a datagram.
struct Sends {
    line: usize,
    who: NodeId,
    outgoing: Outgoing,
    message: Message,
}

/// `C1 sends`, and the message.
pub(super) fn sends(who: NodeId, line: &Line, w: &mut Words<'_>, cast: &Cast) -> Result<Box<dyn Act>, Fault> {
    let name = cast.name_of(who).unwrap_or_default();
    let is_client = cast.address(name).is_some_and(|address| address.is_unicast_link_local());
    let usual_port = if is_client { CLIENT_PORT } else { SERVER_PORT };
    let mut outgoing = Outgoing {
        interface: if is_client { OF_CLIENT } else { IN_CORE },
        source_port: usual_port,
        destination: ALL_RELAYS_AND_SERVERS,
        destination_port: SERVER_PORT,
        octets: Vec::new(),
    };
    let mut has_destination = is_client;
    while !w.is_empty() {
        if w.take("to port") {
            outgoing.destination_port = w.number()?;
        } else if w.take("from port") {
            outgoing.source_port = w.number()?;
        } else if w.take("to") {
            outgoing.destination = somewhere(w, cast)?;
            has_destination = true;
        } else {
            return Err(w.fault("to, to port or from port"));
        }
    }
    if !has_destination {
        return Err(w.fault("to whom"));
    }
    let message = message::below(line, Context { cast, purpose: Purpose::Sent })?;
    Ok(Box::new(Sends { line: line.number, who, outgoing, message }))
}

/// An address, or the name of somebody who has one.
pub(super) fn somewhere(w: &mut Words<'_>, cast: &Cast) -> Result<Ipv6Addr, Fault> {
    match w.peek().and_then(|name| cast.address(name)) {
        Some(address) => w.next("").map(|_| address),
        None => w.address(),
    }
}

impl Act for Sends {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let octets = octets::encode(&self.message, &stage.bindings);
        let octets = octets.map_err(|what| Mishap::new(self.line, what))?;
        let outgoing = Outgoing { octets, ..self.outgoing.clone() };
        stage.universe.with(self.who, |_, _, out| out.send(outgoing));
        stage.keep_trace();
        Ok(())
    }
}

/// Somebody receives a datagram.
struct Receives {
    line: usize,
    who: NodeId,
    from: Option<Ipv6Addr>,
    from_port: Option<u16>,
    at_port: Option<u16>,
    within: Duration,
    message: Message,
}

/// `C1 receives`, and the message.
pub(super) fn receives(
    who: NodeId,
    line: &Line,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<Box<dyn Act>, Fault> {
    let message = message::below(line, Context { cast, purpose: Purpose::Expected })?;
    let (from, from_port, at_port) = (None, None, None);
    let mut receives =
        Receives { line: line.number, who, from, from_port, at_port, within: PATIENCE, message };
    while !w.is_empty() {
        if w.take("from port") {
            receives.from_port = Some(w.number()?);
        } else if w.take("from") {
            receives.from = Some(somewhere(w, cast)?);
        } else if w.take("at port") {
            receives.at_port = Some(w.number()?);
        } else if w.take("within") {
            receives.within = w.duration()?;
        } else {
            return Err(w.fault("from, from port, at port or within"));
        }
    }
    Ok(Box::new(receives))
}

impl Act for Receives {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let who = self.who;
        let has_come = |stage: &mut Stage| stage.peer(who).is_some_and(|peer| !peer.letters.is_empty());
        let expected = tell(&self.message, &stage.cast);
        if !stage.within(self.within, has_come) {
            let what = format!("nothing has come to {} within {:?}", stage.name(who), self.within);
            return Err(Mishap::new(self.line, what).show("expected", expected));
        }
        let letter = stage.peer(who).and_then(|peer| peer.letters.pop_front());
        let letter = letter.ok_or_else(|| Mishap::new(self.line, "nothing has come"))?;
        let came = octets::decode(&letter.octets);
        let told = tell(&came, &stage.cast);
        let show = |mishap: Mishap| mishap.show("expected", expected.clone()).show("came", told.clone());
        self.envelope(&letter).map_err(|what| show(Mishap::new(self.line, what)))?;
        let Stage { cast, bindings, .. } = stage;
        expect::fits(&self.message, &came, cast, bindings)
            .map_err(|mismatch| show(Mishap::new(mismatch.line, mismatch.what)))
    }
}

impl Receives {
    fn envelope(&self, letter: &Datagram) -> Result<(), String> {
        let differs = |from: Ipv6Addr| from != letter.source;
        if let Some(from) = self.from.filter(|from| differs(*from)) {
            return Err(format!("it has come from {}, not from {from}", letter.source));
        }
        if let Some(port) = self.from_port.filter(|port| *port != letter.source_port) {
            return Err(format!("it has come from port {}, not from {port}", letter.source_port));
        }
        if let Some(port) = self.at_port.filter(|port| *port != letter.destination_port) {
            return Err(format!("it has come to port {}, not to {port}", letter.destination_port));
        }
        Ok(())
    }
}

/// Nobody says anything to somebody.
struct Silence {
    line: usize,
    who: NodeId,
    lasting: Duration,
}

/// `nothing comes to C1 for 10 s`.
pub(super) fn silence(line: usize, w: &mut Words<'_>, cast: &Cast) -> Result<Box<dyn Act>, Fault> {
    let who = super::story::somebody(w, cast)?;
    let lasting = if w.take("for") { w.duration()? } else { PATIENCE };
    Ok(Box::new(Silence { line, who, lasting }))
}

impl Act for Silence {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let who = self.who;
        let has_come = |stage: &mut Stage| {
            stage.peer(who).is_some_and(|peer| {
                !peer.letters.is_empty() || peer.streams.values().any(|stream| !stream.input.is_empty())
            })
        };
        if !stage.within(self.lasting, has_come) {
            return Ok(());
        }
        let mishap = Mishap::new(self.line, format!("something has come to {}", stage.name(who)));
        let letter = stage.peer(who).and_then(|peer| peer.letters.pop_front());
        Err(match letter {
            Some(letter) => mishap.show("came", tell(&octets::decode(&letter.octets), &stage.cast)),
            None => mishap,
        })
    }
}

/// Whatever else comes to somebody is none of the transcript's business.
pub(super) struct Heedless(pub(super) NodeId);

impl Act for Heedless {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        stage.heedless.push(self.0);
        if let Some(peer) = stage.peer(self.0) {
            peer.letters.clear();
        }
        Ok(())
    }
}
