//! What came of an import, for a person or as JSON.
//!
//! The JSON object has the keys of [`Summary`], which say what stood in the files, and those of
//! [`Taken`], which say what became of it in the state. `not_translated` lists what of the other
//! server's configuration does not stand in ours, all of it: each with `path`, `value`, `reason`
//! and `place`.

use std::io::Write;
use std::path::{Path, PathBuf};

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table, TableComponent};
use lease::{ClientKey, Conflict};
use serde::Serialize;
use store::import::kea::{BadLine, MAX_LISTED, Summary};

use super::Format;
use super::kea::NotTranslated;
use super::settings::Settings;

/// Characters of a value that a person is shown: it stands in the other server's file, too.
const MAX_VALUE_CHARACTERS: usize = 60;

/// What became of clients in a state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Taken {
    /// Clients that are new, or have been heard since: written, or to be written.
    pub(crate) written: u64,
    /// Clients of whom the state knew as much, or something newer.
    pub(crate) kept: u64,
    /// Clients that are to hold what somebody else holds.
    pub(crate) conflicts: u64,
    /// The first of those, and why.
    pub(crate) conflicting: Vec<String>,
}

impl Taken {
    /// Counts a client that was not taken, and keeps the reason if there is room.
    pub(super) fn refuse(&mut self, client: &ClientKey, conflict: &Conflict) {
        self.conflicts += 1;
        if self.conflicting.len() < MAX_LISTED {
            let ClientKey { link, duid } = client;
            self.conflicting.push(format!("the client {duid} on link {link} is left out: {conflict}"));
        }
    }
}

/// What came of an import.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    state: PathBuf,
    dry_run: bool,
    /// The time as of which the files were read, if not now.
    now: Option<String>,
    #[serde(flatten)]
    summary: Summary,
    #[serde(flatten)]
    taken: Taken,
    /// What of the other server's configuration does not stand in ours.
    not_translated: Vec<NotTranslated>,
    /// The configuration that was written.
    config: Option<PathBuf>,
    /// What to do next.
    hints: Vec<String>,
}

impl Report {
    /// Without `settings` it was only a rehearsal.
    pub(super) fn new(state: &Path, summary: Summary, taken: Taken, settings: Option<Settings>) -> Self {
        let mut report = Self {
            state: state.to_owned(),
            dry_run: settings.is_none(),
            now: None,
            hints: hints(&summary),
            summary,
            taken,
            not_translated: Vec::new(),
            config: None,
        };
        if let Some(Settings { file, remarks }) = settings {
            report.config = Some(file);
            report.hints.extend(remarks);
        }
        report
    }

    /// The same, as of another time than now.
    pub(super) fn read_as_of(self, now: Option<String>) -> Self {
        Self { now, ..self }
    }

    /// The same, with what could not be translated.
    pub(super) fn without(self, not_translated: Vec<NotTranslated>) -> Self {
        Self { not_translated, ..self }
    }

    /// Whether everything could be taken over.
    pub(super) fn is_clean(&self) -> bool {
        self.summary.bad_lines == 0 && self.taken.conflicts == 0 && self.not_translated.is_empty()
    }

    /// Prints it.
    pub(super) fn print(&self, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
        match format {
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)?;
            }
            Format::Table => self.print_table(out)?,
        }
        Ok(())
    }

    fn print_table(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "{}", self.counts())?;
        for BadLine { file, line, reason } in &self.summary.bad {
            writeln!(out, "{file}:{line}: {reason}")?;
        }
        print_rest(self.summary.bad_lines, self.summary.bad.len(), "bad lines", out)?;
        for conflict in &self.taken.conflicting {
            writeln!(out, "{conflict}")?;
        }
        print_rest(self.taken.conflicts, self.taken.conflicting.len(), "conflicts", out)?;
        for NotTranslated { path, value, reason, place } in self.not_translated.iter().take(MAX_LISTED) {
            writeln!(out, "not translated: {path} = {}: {reason} ({place})", shortened(value))?;
        }
        let more = "settings that are not translated: --format json lists all of them";
        print_rest(self.not_translated.len() as u64, self.not_translated.len().min(MAX_LISTED), more, out)?;
        for warning in &self.summary.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        print_rest(self.summary.warning_count, self.summary.warnings.len(), "warnings", out)?;
        for hint in &self.hints {
            writeln!(out, "{hint}")?;
        }
        match &self.config {
            None => writeln!(out, "This was a rehearsal: nothing is written."),
            Some(config) => writeln!(out, "Next: leasehold serve --config {}", config.display()),
        }
    }

    fn counts(&self) -> Table {
        let Self { state: _, dry_run: _, now: _, summary, taken, not_translated, config: _, hints: _ } = self;
        let mut table = plain_table();
        let counts = [
            ("lines read", summary.lines),
            ("bad lines, left out", summary.bad_lines),
            ("deleted by later lines", summary.deletions),
            ("replaced by later lines", summary.superseded),
            ("expired leases", summary.expired),
            ("released leases", summary.released),
            ("of those, remembered for their clients", summary.remembered),
            ("declined addresses, at rest", summary.declined),
            ("registered addresses, left out", summary.registered),
            ("temporary addresses, left out", summary.temporary),
            ("active leases", summary.active),
            ("links", summary.links),
            ("clients", summary.clients),
            ("clients known already, kept", taken.kept),
            ("clients in conflict, left out", taken.conflicts),
            ("settings, not translated", not_translated.len() as u64),
        ];
        let always = ["active leases", "links", "clients"];
        for (what, count) in counts.into_iter().filter(|(what, count)| *count > 0 || always.contains(what)) {
            table.add_row([what.to_owned(), grouped(count)]);
        }
        let written = if self.dry_run { "clients that would be written" } else { "clients written" };
        table.add_row([written.to_owned(), grouped(taken.written)]);
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

fn hints(summary: &Summary) -> Vec<String> {
    if summary.active > 0 || summary.expired == 0 {
        return Vec::new();
    }
    let leases = grouped(summary.expired);
    vec![format!(
        "No lease is active: all of {leases} have expired. If the file is a copy of some time ago, \
         `--now file` imports it as of the moment it was last written."
    )]
}

/// A value in one line, and not too long a one.
fn shortened(value: &serde_json::Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_VALUE_CHARACTERS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn print_rest(count: u64, listed: usize, what: &str, out: &mut dyn Write) -> std::io::Result<()> {
    match count.saturating_sub(listed as u64) {
        0 => Ok(()),
        more => writeln!(out, "... and {} more {what}", grouped(more)),
    }
}

/// A table with lines above, below, and under its head.
pub(crate) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    table.remove_style(TableComponent::HorizontalLines).remove_style(TableComponent::MiddleIntersections);
    table
}

/// A number with a comma before every three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut groups: Vec<&str> = Vec::new();
    if first > 0 {
        groups.push(&digits[..first]);
    }
    groups.extend((first..digits.len()).step_by(3).map(|start| &digits[start..start + 3]));
    groups.join(",")
}
