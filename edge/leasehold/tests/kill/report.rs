//! What a run is told to do, and what has come of it.
//!
//! The environment says how often to kill (`LEASEHOLD_KILLS`), from which seed (`LEASEHOLD_SEED`), and where to append what
//! has come of it, an object a line (`LEASEHOLD_KILL_REPORT`): so does `cargo xtask kill`.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::load::Acknowledged;

/// Kills of each program if nothing is said: some seconds' worth.
const USUAL_KILLS: u64 = 12;
const USUAL_SEED: u64 = 1;

/// How often to kill what, and what has come of it.
pub(crate) struct Run {
    pub(crate) seed: u64,
    kills: u64,
    begun: Instant,
    bar: ProgressBar,
    report: Report,
    restarts: Vec<Duration>,
}

/// What has come of a run.
#[derive(Debug, Default, Serialize)]
struct Report {
    program: &'static str,
    seed: u64,
    kills: u64,
    /// In the middle of what.
    moments: BTreeMap<String, u64>,
    /// Replies that a customer has received.
    replies: u64,
    /// Leases that these have granted or extended.
    acknowledged: u64,
    /// Leases of which these have said that they are given back.
    returned: u64,
    /// Customers in the end.
    customers: u64,
    /// Promises that were found to be kept, over all restarts.
    kept: u64,
    /// Kernel routes that were compared, over all restarts.
    routes: u64,
    /// From the start of the process until it does its work again.
    restart_p50_ms: f64,
    restart_max_ms: f64,
    seconds: f64,
}

impl Run {
    /// A run that the environment asks for.
    pub(crate) fn of(program: &'static str) -> Self {
        let number = |name: &str, usual: u64| {
            std::env::var(name)
                .map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
        };
        let (kills, seed) = (number("LEASEHOLD_KILLS", USUAL_KILLS), number("LEASEHOLD_SEED", USUAL_SEED));
        // Whoever wants a report looks on.
        let bar = if report_file().is_some() { ProgressBar::new(kills) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} kills, {msg}, {elapsed}");
        let bar = bar
            .with_style(style.expect("a template"))
            .with_prefix(program)
            .with_message("nothing acknowledged");
        let report = Report { program, seed, ..Report::default() };
        Self { seed, kills, begun: Instant::now(), bar, report, restarts: Vec::new() }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.report.kills >= self.kills
    }

    /// Notes a kill in the middle of something.
    pub(crate) fn note_kill(&mut self, moment: impl std::fmt::Debug) {
        self.report.kills += 1;
        *self.report.moments.entry(format!("{moment:?}").to_lowercase()).or_default() += 1;
        self.bar.inc(1);
    }

    /// Notes that it does its work again, so long after its start, and that so much was compared.
    ///
    /// # Panics
    ///
    /// When something was found to be wrong.
    pub(crate) fn note_restart(
        &mut self,
        after: Duration,
        judged: Result<u64, String>,
        routes: u64,
        so_far: Acknowledged,
    ) {
        let Report { program, seed, kills, .. } = self.report;
        self.restarts.push(after);
        self.report.kept +=
            judged.unwrap_or_else(|why| panic!("the {program} after {kills} kills, seed {seed}: {why}"));
        self.report.routes += routes;
        self.bar.set_message(format!("{} leases acknowledged", so_far.promised));
    }

    /// Says what has come of it all.
    pub(crate) fn conclude(mut self, all: Acknowledged, customers: usize) {
        self.bar.finish_and_clear();
        self.restarts.sort();
        let ms = |duration: Option<&Duration>| duration.map_or(0.0, |it| it.as_secs_f64() * 1000.0);
        let Acknowledged { replies, promised, returned } = all;
        let report = Report {
            replies,
            acknowledged: promised,
            returned,
            customers: customers as u64,
            restart_p50_ms: ms(self.restarts.get(self.restarts.len() / 2)),
            restart_max_ms: ms(self.restarts.last()),
            seconds: self.begun.elapsed().as_secs_f64(),
            ..self.report
        };
        let line = serde_json::to_string(&report).expect("a report is JSON");
        println!("{line}");
        if let Some(file) = report_file() {
            let mut file =
                OpenOptions::new().create(true).append(true).open(file).expect("the file of reports");
            writeln!(file, "{line}").expect("the file of reports takes a line");
        }
    }
}

fn report_file() -> Option<std::ffi::OsString> {
    std::env::var_os("LEASEHOLD_KILL_REPORT")
}
