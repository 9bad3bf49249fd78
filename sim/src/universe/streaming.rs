//! Streams at work: dialling, pieces on their way, and all that can befall them.

use std::net::Ipv6Addr;
use std::time::Duration;

use super::outbox::Dial;
use super::stream::{End, Ending, ROOM, Side, Stream};
use super::{Happening, Observed, StreamId, Universe};
use crate::faults::Fault;
use crate::nodes::NodeId;
use crate::plan::between;

/// How long a piece is on its way.
const LATENCY_MICROS: (u64, u64) = (100, 2_000);
/// How long it takes to be refused, or to give up on who cannot be reached.
const REFUSED_AFTER: Duration = Duration::from_millis(2);
const UNREACHABLE_AFTER: Duration = Duration::from_secs(10);
/// Octets on their way in one direction where there is hardly any room.
const LITTLE_ROOM: (u64, u64) = (1, 200);
/// Octets that are read at once, as programs do, or as few as a network can make it.
const READ_OCTETS: usize = 16 * 1024;
const PIECE_OCTETS: (u64, u64) = (1, 40);
/// How long a stream stands still: also longer than anybody's patience.
const STALL_SECS: (u64, u64) = (1, 400);

impl Universe {
    /// A node would open a stream.
    pub(super) fn dial(&mut self, node: NodeId, dial: Dial) {
        let Dial { stream, from, to } = dial;
        let micros = between(&mut self.chance, LATENCY_MICROS.0, LATENCY_MICROS.1);
        let happening = Happening::Connect { stream, from: (node, from), to };
        self.queue.push(self.now + Duration::from_micros(micros), happening);
    }

    /// It has reached who listens, if anybody does.
    pub(super) fn connect(&mut self, stream: StreamId, (dialler, from): (NodeId, Ipv6Addr), to: Ipv6Addr) {
        let listener = self.network.in_core(to).filter(|listener| !self.are_parted(dialler, *listener));
        let Some(listener) = listener else {
            return self.refuse(stream, dialler, UNREACHABLE_AFTER);
        };
        let mut listens = false;
        self.with(listener, |nodes, now, out| {
            listens = nodes.get_mut(listener).accept(stream, from, now, out);
        });
        if !listens {
            return self.refuse(stream, dialler, REFUSED_AFTER);
        }
        let mut room = ROOM;
        if self.faults.strikes(Fault::NoRoom) {
            room = between(self.faults.chance(Fault::NoRoom), LITTLE_ROOM.0, LITTLE_ROOM.1) as usize;
        }
        let (a, b) = (End::of(dialler), End::of(listener));
        self.streams.insert(stream, Stream { dialler: a, listener: b, room, stalled_until: None });
        self.observe(Observed::Opened(stream, dialler, listener));
        self.with(dialler, |nodes, now, out| nodes.get_mut(dialler).connected(stream, now, out));
        self.pump(listener);
        self.note_deadline(listener);
    }

    fn refuse(&mut self, stream: StreamId, dialler: NodeId, after: Duration) {
        self.relieve_after(after, move |universe| {
            universe.with(dialler, |nodes, now, out| {
                nodes.get_mut(dialler).ended(stream, Ending::Refused, now, out);
            });
        });
    }

    /// Takes what a node would write, and sees what it would read, on all its streams.
    pub(super) fn pump(&mut self, node: NodeId) {
        let its = self.streams.iter().filter_map(|(id, stream)| Some((*id, stream.side_of(node)?)));
        for (id, side) in its.collect::<Vec<_>>() {
            self.take_output(id, side);
            self.see_to_delivery(id, side);
            self.bury(id);
        }
    }

    /// All nodes with streams are looked at again.
    pub(super) fn wake_streams(&mut self) {
        let ends = self.streams.values().flat_map(|stream| [stream.dialler.node, stream.listener.node]);
        ends.collect::<Vec<_>>().into_iter().for_each(|node| self.pump(node));
    }

    fn take_output(&mut self, id: StreamId, side: Side) {
        while let Some(stream) = self.streams.get_mut(&id) {
            let node = stream.end(side).node;
            if stream.end(side).has_closed {
                break;
            }
            let room = stream.room.saturating_sub(stream.end(side.other()).coming.len());
            let output = self.nodes.get(node).output(id);
            let octets: std::rc::Rc<[u8]> = output[..output.len().min(room)].into();
            if !output.is_empty() && stream.end(side.other()).is_gone {
                return self.reset(id);
            }
            if octets.is_empty() {
                break;
            }
            stream.end(side.other()).coming.extend(octets.iter());
            self.observe(Observed::Wrote(node, id, octets.clone()));
            let mut out = self.outbox();
            self.nodes.get_mut(node).wrote(id, octets.len(), self.now, &mut out);
            self.carry_out(node, out);
            self.note_deadline(node);
            if self.faults.strikes(Fault::Stall) {
                let secs = between(self.faults.chance(Fault::Stall), STALL_SECS.0, STALL_SECS.1);
                let until = self.now + Duration::from_secs(secs);
                self.streams.get_mut(&id).expect("it is open").stalled_until = Some(until);
            }
            self.see_to_delivery(id, side.other());
        }
        self.close_if_wanted(id, side);
    }

    /// Closes one end if its node wants that, or the half of it that is written to. What was written arrives
    /// all the same, unless the node has left something unread: that breaks the stream, as in TCP.
    fn close_if_wanted(&mut self, id: StreamId, side: Side) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let end = stream.end(side);
        let node = self.nodes.get(end.node);
        if node.wants_close(id) {
            let leaves_something = !end.coming.is_empty();
            (end.has_closed, end.has_ended, end.is_gone) = (true, true, true);
            if leaves_something {
                return self.reset(id);
            }
        } else if !end.has_closed {
            let has_asked = side == Side::Dialler && node.output(id).is_empty();
            let half_closes = has_asked && self.faults.strikes(Fault::HalfClose);
            end.has_closed = half_closes || node.wants_half_close(id);
        }
        if end.has_closed {
            self.see_to_delivery(id, side.other());
        }
    }

    /// Has something delivered to an end, if there is something that it wants.
    fn see_to_delivery(&mut self, id: StreamId, side: Side) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let other_has_closed = stream.end(side.other()).has_closed;
        let stalled_until = stream.stalled_until;
        let end = stream.end(side);
        let has_end = other_has_closed && end.coming.is_empty() && !end.has_ended;
        let wants = !end.coming.is_empty() && self.nodes.get(end.node).wants_octets(id);
        if end.is_due || !(wants || has_end) {
            return;
        }
        end.is_due = true;
        let micros = between(&mut self.chance, LATENCY_MICROS.0, LATENCY_MICROS.1);
        let at = self.now + Duration::from_micros(micros);
        let at = stalled_until.map_or(at, |until| until.max(at));
        self.queue.push(at, Happening::Deliver(id, side));
    }

    /// A piece has come to an end.
    pub(super) fn deliver(&mut self, id: StreamId, side: Side) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (one, other) = (stream.dialler.node, stream.listener.node);
        stream.end(side).is_due = false;
        if self.partitions.contains(&(one, other)) {
            // Looked at again before long: a stream outlives a short partition, and nobody's patience a long one.
            stream.end(side).is_due = true;
            self.queue.push(self.now + Duration::from_secs(1), Happening::Deliver(id, side));
            return;
        }
        if self.faults.strikes(Fault::Reset) {
            return self.reset(id);
        }
        let piece = if self.faults.strikes(Fault::Chop) {
            between(self.faults.chance(Fault::Chop), PIECE_OCTETS.0, PIECE_OCTETS.1) as usize
        } else {
            READ_OCTETS
        };
        let stream = self.streams.get_mut(&id).expect("it is open");
        let is_last = stream.end(side.other()).has_closed;
        let end = stream.end(side);
        let (node, writer) = (end.node, if side == Side::Dialler { other } else { one });
        if end.coming.is_empty() {
            if is_last && !end.has_ended {
                end.has_ended = true;
                self.with(node, |nodes, now, out| nodes.get_mut(node).ended(id, Ending::Closed, now, out));
            }
        } else if self.nodes.get(node).wants_octets(id) {
            let octets: Vec<u8> = end.coming.drain(..piece.min(end.coming.len())).collect();
            self.observe(Observed::Read(node, id, octets.as_slice().into()));
            self.with(node, |nodes, now, out| nodes.get_mut(node).hear(id, &octets, now, out));
            self.pump(writer);
        }
        self.bury(id);
    }

    /// From now on a stream has room for so many octets on their way.
    pub fn set_room(&mut self, id: StreamId, octets: usize) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.room = octets;
        }
    }

    /// A stream is broken off; both sides hear of it.
    pub(crate) fn reset(&mut self, id: StreamId) {
        let Some(stream) = self.streams.remove(&id) else { return };
        self.observe(Observed::Over(id));
        for end in [stream.dialler, stream.listener] {
            let node = end.node;
            self.with(node, |nodes, now, out| nodes.get_mut(node).ended(id, Ending::Reset, now, out));
        }
    }

    /// A node's program is no more. Its system closes the streams for it, unless the machine is gone too: then
    /// there is silence.
    pub(crate) fn abandon_streams(&mut self, node: NodeId, are_told: bool) {
        let its = self.streams.iter().filter_map(|(id, stream)| Some((*id, stream.side_of(node)?)));
        for (id, side) in its.collect::<Vec<_>>() {
            if are_told {
                self.close_if_wanted(id, side);
                self.bury(id);
            } else {
                self.streams.remove(&id);
                self.observe(Observed::Over(id));
            }
        }
    }

    /// Forgets a stream on which nothing more can happen.
    fn bury(&mut self, id: StreamId) {
        if self.streams.get(&id).is_some_and(Stream::is_over) {
            self.streams.remove(&id);
            self.observe(Observed::Over(id));
        }
    }
}
