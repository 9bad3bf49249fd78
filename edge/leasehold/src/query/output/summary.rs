//! Totals over all servers, without merging: what came, and how fast.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::{Answers, Report};

#[derive(Serialize)]
struct Summary {
    clients: u64,
    bindings: u64,
    messages: u64,
    octets: u64,
    seconds: f64,
    first_reply_ms: Option<f64>,
    bindings_per_second: f64,
    complete: bool,
}

pub(super) fn print(answers: &Answers<'_>, out: &mut dyn Write) -> Result<()> {
    let reports = answers.reports;
    let sum = |number: fn(&Report) -> u64| reports.iter().map(number).sum::<u64>();
    let bindings = sum(|report| report.counters.bindings);
    let seconds = reports.iter().map(|report| report.elapsed).max().unwrap_or_default().as_secs_f64();
    let first_reply: Option<Duration> = reports.iter().filter_map(|report| report.first_reply).min();
    let summary = Summary {
        clients: sum(|report| report.counters.clients),
        bindings,
        messages: sum(|report| report.counters.messages),
        octets: sum(|report| report.counters.octets),
        seconds,
        first_reply_ms: first_reply.map(|time| time.as_secs_f64() * 1000.0),
        bindings_per_second: if seconds > 0.0 { bindings as f64 / seconds } else { 0.0 },
        complete: answers.complete,
    };
    serde_json::to_writer(&mut *out, &summary)?;
    Ok(writeln!(out)?)
}
