//! What is printed: one object, or a table for people.

use std::collections::BTreeMap;
use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::probe::Spread;
use super::programs::ThreadSeconds;
use crate::bench::processors::Processors;

/// How many times what the kernel needs for the same routes a recovery may take.
const BAR: f64 = 1.5;
/// Octets of the relay's memory that a delegation may take.
const MEMORY_BAR: f64 = 1024.0;

/// One recovery.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Recovery {
    /// From the start of the relay's process to the last route in the kernel.
    pub(super) seconds: f64,
    /// The same routes in the same order put in by one batched netlink writer, without a relay around it.
    pub(super) raw_seconds: f64,
    /// Likewise, but sorted.
    pub(super) raw_sorted_seconds: f64,
    /// And by `ip -6 -batch`.
    pub(super) ip_batch_seconds: f64,
    /// Until the first message of a client had come through.
    pub(super) forwarding_after_seconds: f64,
    /// What each thread of the relay has cost until then.
    pub(super) thread_seconds: BTreeMap<String, ThreadSeconds>,
    /// Octets that the relay holds for a delegation, everything included.
    pub(super) memory_per_delegation: f64,
    /// What clients' messages take while it recovers, and afterwards.
    pub(super) delay_meanwhile: Spread,
    pub(super) delay_afterwards: Spread,
}

/// Recoveries of so many routes, the one in the middle.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Run {
    pub(super) routes: u64,
    seconds: f64,
    routes_per_second: f64,
    raw_seconds: f64,
    ratio_to_raw: f64,
    raw_sorted_seconds: f64,
    ip_batch_seconds: f64,
    /// What `leasehold query` takes to ask the same server for the same, writing nothing.
    pub(super) query_seconds: f64,
    all_seconds: Vec<f64>,
    all_raw_seconds: Vec<f64>,
    middle: Recovery,
}

impl Run {
    pub(super) fn new(routes: u64, query_seconds: f64, mut recoveries: Vec<Recovery>) -> Self {
        let all_seconds = recoveries.iter().map(|recovery| recovery.seconds).collect();
        let all_raw_seconds: Vec<f64> = recoveries.iter().map(|recovery| recovery.raw_seconds).collect();
        let raw_seconds = middle(all_raw_seconds.clone());
        let raw_sorted_seconds =
            middle(recoveries.iter().map(|recovery| recovery.raw_sorted_seconds).collect());
        let ip_batch_seconds = middle(recoveries.iter().map(|recovery| recovery.ip_batch_seconds).collect());
        recoveries.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let middle = recoveries.swap_remove(recoveries.len() / 2);
        Self {
            routes,
            seconds: middle.seconds,
            routes_per_second: routes as f64 / middle.seconds,
            raw_seconds,
            ratio_to_raw: middle.seconds / raw_seconds,
            raw_sorted_seconds,
            ip_batch_seconds,
            query_seconds,
            all_seconds,
            all_raw_seconds,
            middle,
        }
    }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Everything; the keys of the first run stand by themselves.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figures {
    #[serde(flatten)]
    main: Run,
    others: Vec<Run>,
    processors: usize,
    load_before: f64,
    bar: f64,
    memory_bar: f64,
}

impl Figures {
    pub(super) fn new(main: Run, others: Vec<Run>, processors: &Processors, load_before: f64) -> Self {
        Self { main, others, processors: processors.count(), load_before, bar: BAR, memory_bar: MEMORY_BAR }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<&Run> = self.others.iter().chain([&self.main]).collect();
        runs.sort_by_key(|run| run.routes);
        let mut table = Table::new();
        table.load_preset(presets::UTF8_BORDERS_ONLY);
        let head = runs.iter().map(|run| format!("{} routes", run.routes));
        table.set_header(["".to_owned()].into_iter().chain(head));
        for (what, figure) in ROWS {
            table.add_row([what.to_owned()].into_iter().chain(runs.iter().map(|run| figure(run))));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{table}")?;
        for run in runs {
            let threads = run.middle.thread_seconds.iter();
            let thread = |(name, seconds): (&String, &ThreadSeconds)| {
                format!("{name} {:.3} (+{:.3})", seconds.computed, seconds.kept_waiting)
            };
            let threads: Vec<_> = threads.map(thread).collect();
            writeln!(f, "{} routes, seconds by thread: {}", run.routes, threads.join(", "))?;
        }
        writeln!(
            f,
            "The bars are {BAR} for the ratio and {MEMORY_BAR:.0} octets. The delays are p50, p99, max."
        )?;
        writeln!(f, "{} processors; load before: {:.1}", self.processors, self.load_before)
    }
}

type Row = (&'static str, fn(&Run) -> String);

const ROWS: [Row; 12] = [
    ("seconds", |run| format!("{:.3}", run.seconds)),
    ("routes a second", |run| format!("{:.0}", run.routes_per_second)),
    ("raw netlink, seconds", |run| format!("{:.3}", run.raw_seconds)),
    ("ratio to raw netlink", |run| format!("{:.2}", run.ratio_to_raw)),
    ("raw netlink, sorted, seconds", |run| format!("{:.3}", run.raw_sorted_seconds)),
    ("ip -6 -batch, seconds", |run| format!("{:.3}", run.ip_batch_seconds)),
    ("the query alone, seconds", |run| format!("{:.3}", run.query_seconds)),
    ("forwards after, seconds", |run| format!("{:.3}", run.middle.forwarding_after_seconds)),
    ("memory per delegation, octets", |run| format!("{:.0}", run.middle.memory_per_delegation)),
    ("delay meanwhile, ms", |run| delay(&run.middle.delay_meanwhile)),
    ("delay afterwards, ms", |run| delay(&run.middle.delay_afterwards)),
    ("lost meanwhile", |run| {
        let Spread { lost, messages, .. } = run.middle.delay_meanwhile;
        format!("{lost} of {messages}")
    }),
];

fn delay(spread: &Spread) -> String {
    format!("{:.2}, {:.2}, {:.1}", spread.p50_ms, spread.p99_ms, spread.max_ms)
}
