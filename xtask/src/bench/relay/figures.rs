//! What is printed: one object, or a table for people.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::flow::{Direction, Step};
use crate::bench::processors::Processors;
use crate::bench::search::Found;

/// When a rate is sustained.
const SUSTAINED: &str = "the sender keeps its pace, fewer than 1 in 100 messages are lost, and the last comes at most 100 ms after \
    it was sent, so that no queue grows";
/// How many times the better of both others the project has set itself.
const BAR: f64 = 3.0;

/// One relay in one direction.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    /// At the highest rate that is sustained; a round trip is two messages.
    pub(super) messages_per_second: f64,
    /// Whether the sender stood in the way of a higher rate.
    pub(super) limited_by_sender: bool,
    /// The relay's processor time for a message, at that rate.
    pub(super) cpu_microseconds_per_message: f64,
    /// How many processors each has used.
    pub(super) relay_processors_used: f64,
    pub(super) own_processors_used: f64,
}

impl Measured {
    pub(super) fn new(direction: Direction, found: &Found<Step>) -> Self {
        let Found { best, failed, .. } = found;
        let messages = best.received as f64 * direction.forwarded();
        Self {
            messages_per_second: messages / best.seconds,
            limited_by_sender: failed.as_ref().is_some_and(|step| step.sender_late),
            cpu_microseconds_per_message: best.relay_cpu_seconds * 1e6 / messages,
            relay_processors_used: best.relay_cpu_seconds / best.seconds,
            own_processors_used: best.own_cpu_seconds / best.seconds,
        }
    }
}

/// All relays in one direction, one after the other.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Comparison {
    pub(super) direction: &'static str,
    pub(super) leasehold: Option<Measured>,
    pub(super) isc: Option<Measured>,
    pub(super) dibbler: Option<Measured>,
    pub(super) raw: Option<Measured>,
    /// Ours to the better of both others.
    ratio_to_better: Option<f64>,
    ratio_to_raw: Option<f64>,
}

impl Comparison {
    pub(super) fn new(direction: Direction, [leasehold, isc, dibbler, raw]: [Option<Measured>; 4]) -> Self {
        let rate = |relay: &Option<Measured>| relay.as_ref().map(|measured| measured.messages_per_second);
        let better = rate(&isc).into_iter().chain(rate(&dibbler)).reduce(f64::max);
        Self {
            direction: match direction {
                Direction::Up => "up: Solicit",
                Direction::Back => "back: Advertise",
                Direction::Granting => "back: Reply that grants",
                Direction::RoundTrip => "there and back",
            },
            ratio_to_better: rate(&leasehold).zip(better).map(|(ours, theirs)| ours / theirs),
            ratio_to_raw: rate(&leasehold).zip(rate(&raw)).map(|(ours, raw)| ours / raw),
            leasehold,
            isc,
            dibbler,
            raw,
        }
    }
}

/// Everything.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figures {
    directions: Vec<Comparison>,
    sustained: &'static str,
    step_seconds: f64,
    processors: usize,
    /// Whether relay and sender take processors from each other.
    shared: bool,
    load_before: f64,
    bar: f64,
}

impl Figures {
    pub(super) fn new(
        directions: Vec<Comparison>,
        step_seconds: f64,
        processors: &Processors,
        load_before: f64,
    ) -> Self {
        Self {
            directions,
            sustained: SUSTAINED,
            step_seconds,
            processors: processors.count(),
            shared: processors.shared(),
            load_before,
            bar: BAR,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_BORDERS_ONLY);
        table.set_header(["messages a second", "leasehold", "isc", "dibbler", "no relay", "ratio to better"]);
        for comparison in &self.directions {
            let Comparison { direction, leasehold, isc, dibbler, raw, ratio_to_better, .. } = comparison;
            let mut row = vec![(*direction).to_owned()];
            row.extend([leasehold, isc, dibbler, raw].map(cell));
            row.push(ratio_to_better.map_or("-".to_owned(), |ratio| format!("{ratio:.1}")));
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{table}")?;
        writeln!(f, "In brackets the relay's processor time for a message. The bar is a ratio of {BAR}.")?;
        writeln!(f, "A rate counts if {SUSTAINED}.")?;
        let sharing = if self.shared { ", shared by relay and sender" } else { "" };
        writeln!(
            f,
            "{} processors{sharing}; load before: {:.1}; steps of {} s",
            self.processors, self.load_before, self.step_seconds
        )
    }
}

fn cell(measured: &Option<Measured>) -> String {
    let Some(measured) = measured else { return "-".to_owned() };
    let least = if measured.limited_by_sender { "at least " } else { "" };
    let Measured { messages_per_second, cpu_microseconds_per_message, .. } = measured;
    format!("{least}{messages_per_second:.0} ({cpu_microseconds_per_message:.1} us)")
}
