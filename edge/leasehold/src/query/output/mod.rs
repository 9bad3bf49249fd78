//! The answer in the form asked for: one file per format, and one view of a client for all of them.

mod csv;
mod json;
mod ndjson;
mod routes;
mod summary;
mod table;
mod view;

use std::io::{self, IsTerminal, Write};

use anyhow::Result;
use requestor::Merged;
use world::Instant;

use super::session::Report;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// One lease a line, for a person
    Table,
    /// One object: servers, clients, complete
    Json,
    /// One client a line
    Ndjson,
    /// One lease a line
    Csv,
    /// One ip route command for each delegated prefix
    Routes,
    /// Totals only, as one object
    Summary,
}

impl Format {
    pub(super) fn for_stdout() -> Self {
        if io::stdout().is_terminal() { Self::Table } else { Self::Json }
    }
}

/// All that there is to print.
pub(super) struct Answers<'a> {
    pub(super) complete: bool,
    pub(super) reports: &'a [Report],
    pub(super) merged: &'a Merged,
    pub(super) now: Instant,
}

pub(super) fn print(format: Format, answers: &Answers<'_>, out: &mut dyn Write) -> Result<()> {
    match format {
        Format::Table => table::print(answers, out),
        Format::Json => json::print(answers, out),
        Format::Ndjson => ndjson::print(answers, out),
        Format::Csv => csv::print(answers, out),
        Format::Routes => routes::print(answers, out),
        Format::Summary => summary::print(answers, out),
    }
}
