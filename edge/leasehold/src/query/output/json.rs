//! One object with all there is. Keys are only ever added.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use serde::{Serialize, Serializer};

use super::{Answers, Report, view};

#[derive(Serialize)]
struct Document<'a> {
    servers: Vec<ServerView<'a>>,
    clients: Clients<'a>,
    complete: bool,
}

/// The clients, made one after the other while they are printed.
struct Clients<'a>(&'a Answers<'a>);

impl Serialize for Clients<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(view::clients(self.0))
    }
}

#[derive(Serialize)]
struct ServerView<'a> {
    address: &'a str,
    status: &'static str,
    detail: String,
    clients: u64,
    bindings: u64,
    messages: u64,
    octets: u64,
    seconds: f64,
    first_reply_ms: Option<f64>,
    warnings: BTreeMap<&'static str, u64>,
}

pub(super) fn print(answers: &Answers<'_>, out: &mut dyn Write) -> Result<()> {
    let document = Document {
        servers: answers.reports.iter().map(ServerView::new).collect(),
        clients: Clients(answers),
        complete: answers.complete,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

impl<'a> ServerView<'a> {
    fn new(report: &'a Report) -> Self {
        Self {
            address: &report.address,
            status: report.status.key(),
            detail: report.status.explanation(),
            clients: report.counters.clients,
            bindings: report.counters.bindings,
            messages: report.counters.messages,
            octets: report.counters.octets,
            seconds: report.elapsed.as_secs_f64(),
            first_reply_ms: report.first_reply.map(|time| time.as_secs_f64() * 1000.0),
            warnings: report.warnings.iter().map(|(warning, count)| (warning.key(), count)).collect(),
        }
    }
}
