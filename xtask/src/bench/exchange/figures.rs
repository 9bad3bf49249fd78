//! What is printed: one object, or a table for people.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::case::Case;
use super::perfdhcp::Opinion;
use super::step::{Limit, Step};
use super::tally::Messages;
use crate::bench::processors::Processors;
use crate::bench::search::Found;

/// When a rate is sustained, and what a dropped exchange is.
const SUSTAINED: &str = "the generator keeps its pace; fewer than 1 in 100 exchanges are dropped, which means that the Reply is \
    missing, lacks a lease that was asked for, or comes later than 1 s after the Solicit was due (nothing is sent twice); and \
    half of the last quarter take at most 100 ms, so that no queue grows";

/// One server in one case.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    /// At the highest rate that is sustained.
    pub(super) exchanges_per_second: f64,
    /// Who stood in the way of more; nothing, if the search came to its end above.
    pub(super) limit: Option<Limit>,
    /// Latencies at four fifths of that rate.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// And at that rate.
    pub(super) p99_ms_at_highest: f64,
    /// The server's processor time for an exchange, at four fifths.
    pub(super) cpu_microseconds_per_exchange: f64,
    /// How many processors each has used, at the highest rate.
    pub(super) server_processors_used: f64,
    pub(super) generator_processors_used: f64,
    /// What went and came at the highest rate, and at the lowest that was too much.
    pub(super) messages: Messages,
    pub(super) messages_when_too_much: Option<Messages>,
}

impl Measured {
    pub(super) fn new(found: &Found<Step>, calm: &Step) -> Self {
        let Found { best, failed, .. } = found;
        let latency = |step: &Step, share| step.tally.latency_ms(share);
        Self {
            exchanges_per_second: best.exchanges_per_second(),
            limit: failed.as_ref().map(Step::limit),
            p50_ms: latency(calm, 0.5),
            p99_ms: latency(calm, 0.99),
            p99_ms_at_highest: latency(best, 0.99),
            cpu_microseconds_per_exchange: calm.server_cpu_seconds * 1e6 / calm.tally.completed() as f64,
            server_processors_used: best.server_cpu_seconds / best.seconds,
            generator_processors_used: best.generator_cpu_seconds / best.seconds,
            messages: best.tally.messages,
            messages_when_too_much: failed.as_ref().map(|step| step.tally.messages),
        }
    }
}

/// The servers in one case, one after the other.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Comparison {
    case: Case,
    exchanges_per_second: Option<f64>,
    kea_exchanges_per_second: Option<f64>,
    ratio_to_kea: Option<f64>,
    raw_exchanges_per_second: Option<f64>,
    ratio_to_raw: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    kea_p50_ms: Option<f64>,
    kea_p99_ms: Option<f64>,
    cpu_microseconds_per_exchange: Option<f64>,
    kea_cpu_microseconds_per_exchange: Option<f64>,
    limit: Option<Limit>,
    leasehold: Option<Measured>,
    kea: Option<Measured>,
    raw: Option<Measured>,
}

impl Comparison {
    pub(super) fn new(
        case: Case,
        leasehold: Option<Measured>,
        kea: Option<Measured>,
        raw: Option<Measured>,
    ) -> Self {
        let of = |server: &Option<Measured>, figure: fn(&Measured) -> f64| server.as_ref().map(figure);
        let rate = |server| of(server, |measured| measured.exchanges_per_second);
        let cpu = |server| of(server, |measured| measured.cpu_microseconds_per_exchange);
        Self {
            case,
            exchanges_per_second: rate(&leasehold),
            kea_exchanges_per_second: rate(&kea),
            ratio_to_kea: ratio(rate(&leasehold), rate(&kea)),
            raw_exchanges_per_second: rate(&raw),
            ratio_to_raw: ratio(rate(&leasehold), rate(&raw)),
            p50_ms: of(&leasehold, |measured| measured.p50_ms),
            p99_ms: of(&leasehold, |measured| measured.p99_ms),
            kea_p50_ms: of(&kea, |measured| measured.p50_ms),
            kea_p99_ms: of(&kea, |measured| measured.p99_ms),
            cpu_microseconds_per_exchange: cpu(&leasehold),
            kea_cpu_microseconds_per_exchange: cpu(&kea),
            limit: leasehold.as_ref().and_then(|measured| measured.limit),
            leasehold,
            kea,
            raw,
        }
    }
}

fn ratio(ours: Option<f64>, theirs: Option<f64>) -> Option<f64> {
    Some(ours? / theirs?)
}

/// Our server in the main case, with bindings there already.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Growth {
    pub(super) few_bindings: u64,
    pub(super) few_exchanges_per_second: f64,
    pub(super) many_bindings: u64,
    pub(super) many_exchanges_per_second: f64,
    /// From few to many.
    pub(super) change_percent: f64,
    /// The same with many, while one requestor after the other asks for all of them.
    pub(super) queried_exchanges_per_second: f64,
    pub(super) queried_loss_percent: f64,
    /// What the requestors were given meanwhile, a second.
    pub(super) queried_bindings_per_second: f64,
}

/// What perfdhcp says of the main case.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Perfdhcp {
    pub(super) leasehold: Option<Opinion>,
    pub(super) kea: Option<Opinion>,
}

/// What else there is to know about the machine.
pub(super) struct Surroundings {
    pub(super) load_before: f64,
    pub(super) sync_ms: f64,
}

/// Everything.
#[derive(Serialize)]
pub(super) struct Figures {
    #[serde(flatten)]
    main: Comparison,
    /// How many processors there were, and whose they were.
    processors: usize,
    server_processors: Vec<usize>,
    generator_processors: Vec<usize>,
    shared_processors: bool,
    /// Processes that wanted a processor in the minute before: there should be none.
    load_before: f64,
    step_seconds: f64,
    sustained: &'static str,
    /// How long this machine takes to make 4 KiB durable, in the middle.
    sync_ms: f64,
    /// The other cases.
    cases: Vec<Comparison>,
    growth: Option<Growth>,
    perfdhcp: Option<Perfdhcp>,
}

impl Figures {
    pub(super) fn new(
        main: Comparison,
        processors: &Processors,
        surroundings: Surroundings,
        step_seconds: f64,
    ) -> Self {
        let Surroundings { load_before, sync_ms } = surroundings;
        Self {
            main,
            processors: processors.count(),
            server_processors: processors.server.clone(),
            generator_processors: processors.generator.clone(),
            shared_processors: processors.shared(),
            load_before,
            step_seconds,
            sustained: SUSTAINED,
            sync_ms,
            cases: Vec::new(),
            growth: None,
            perfdhcp: None,
        }
    }

    pub(super) fn with_everything(
        self,
        cases: Vec<Comparison>,
        growth: Option<Growth>,
        perfdhcp: Perfdhcp,
    ) -> Self {
        Self { cases, growth, perfdhcp: Some(perfdhcp), ..self }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = if self.shared_processors { ", all shared" } else { "" };
        writeln!(
            f,
            "{} processors: server on {:?}, generator on {:?}{shared}; load before {:.1}; a sync takes {:.2} ms\n",
            self.processors,
            self.server_processors,
            self.generator_processors,
            self.load_before,
            self.sync_ms
        )?;
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header([
            "case",
            "server",
            "exchanges/s",
            "p50 ms",
            "p99 ms",
            "CPU us",
            "server used",
            "generator used",
            "limit",
        ]);
        for comparison in std::iter::once(&self.main).chain(&self.cases) {
            table.add_rows(comparison.rows());
        }
        for column in 2..8 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(f, "{table}")?;
        self.write_ratios(f)?;
        self.write_extras(f)
    }
}

impl Comparison {
    fn rows(&self) -> Vec<Vec<String>> {
        let servers = [("leasehold", &self.leasehold), ("Kea", &self.kea), ("none", &self.raw)];
        let measured = servers.into_iter().filter_map(|(name, server)| Some((name, server.as_ref()?)));
        measured.map(|(name, server)| server.row(&self.case.to_string(), name)).collect()
    }
}

impl Measured {
    fn row(&self, case: &str, server: &str) -> Vec<String> {
        vec![
            case.to_owned(),
            server.to_owned(),
            format!("{:.0}", self.exchanges_per_second),
            format!("{:.2}", self.p50_ms),
            format!("{:.2}", self.p99_ms),
            format!("{:.1}", self.cpu_microseconds_per_exchange),
            format!("{:.2}", self.server_processors_used),
            format!("{:.2}", self.generator_processors_used),
            self.limit.map_or("-", Limit::name).to_owned(),
        ]
    }
}

impl Figures {
    fn write_ratios(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for comparison in std::iter::once(&self.main).chain(&self.cases) {
            if let Some(ratio) = comparison.ratio_to_kea {
                writeln!(f, "{}: {ratio:.2} times Kea", comparison.case)?;
            }
            if let Some(ratio) = comparison.ratio_to_raw {
                writeln!(f, "{}: {ratio:.2} of what there is without a server", comparison.case)?;
            }
        }
        Ok(())
    }

    fn write_extras(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(growth) = &self.growth {
            writeln!(
                f,
                "{}: from {} to {} bindings the rate changes by {:+.1} % ({:.0} to {:.0}); \
                 with bulk queries it loses {:.1} % and they get {:.0} bindings a second",
                self.main.case,
                growth.few_bindings,
                growth.many_bindings,
                growth.change_percent,
                growth.few_exchanges_per_second,
                growth.many_exchanges_per_second,
                growth.queried_loss_percent,
                growth.queried_bindings_per_second
            )?;
        }
        let Some(perfdhcp) = &self.perfdhcp else { return Ok(()) };
        for (name, opinion) in [("leasehold", perfdhcp.leasehold), ("Kea", perfdhcp.kea)] {
            if let Some(Opinion { exchanges_per_second, limit }) = opinion {
                let limit = limit.map_or("-", Limit::name);
                writeln!(f, "perfdhcp says of {name}: {exchanges_per_second:.0} (limit: {limit})")?;
            }
        }
        Ok(())
    }
}
