//! Items as they come, in the form asked for. None of the forms keeps what it has printed.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::control::{Answers, Failure, PARTIAL};

/// Rows that one table has at most: then another one begins, with a head of its own, so that a long
/// answer needs no memory and the first of it is there at once.
const ROWS_IN_TABLE: usize = 1_000;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person
    Table,
    /// One object with all there is
    Json,
    /// An object a line
    Ndjson,
}

/// How a kind of items is printed.
pub(super) struct Form<T> {
    /// The key of all items in the one object; without it there is one item, which is the object.
    pub(super) key: Option<&'static str>,
    /// The head of the table.
    pub(super) head: &'static [&'static str],
    /// Adds the rows of an item.
    pub(super) rows: fn(&T, &mut Vec<Vec<String>>),
}

/// Prints what comes to standard output, and what was wrong with it to standard error.
pub(super) fn print<T: Serialize + DeserializeOwned>(
    answers: Result<Answers<T>, Failure>,
    format: Option<Format>,
    form: &Form<T>,
) -> anyhow::Result<ExitCode> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let result = answers.map(|mut answers| {
        let printed = write(&mut answers, format.unwrap_or_else(usual), form, &mut out);
        (printed.and_then(|()| out.flush()), answers.end())
    });
    let ended = match result {
        // Whoever reads has seen enough, and knows.
        Ok((Err(error), _)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(PARTIAL.into()),
        Ok((printed, ended)) => printed.context("cannot print").map(|()| ended)?,
        Err(failure) => Err(failure),
    };
    Ok(ended.map_or_else(
        |failure| {
            eprintln!("leasehold: {failure}");
            failure.into()
        },
        |()| ExitCode::SUCCESS,
    ))
}

/// Prints one item that is all there is.
pub(super) fn print_one<T: Serialize>(
    item: &T,
    format: Option<Format>,
    form: &Form<T>,
) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let printed = match format.unwrap_or_else(usual) {
        Format::Table => {
            let mut rows = Vec::new();
            (form.rows)(item, &mut rows);
            table(rows, form.head, &mut out)
        }
        Format::Json => pretty(item, &mut out),
        Format::Ndjson => line(item, &mut out),
    };
    printed.context("cannot print")
}

/// What is printed if nobody has asked for a format.
fn usual() -> Format {
    if io::stdout().is_terminal() { Format::Table } else { Format::Json }
}

/// Prints what comes.
fn write<T: Serialize + DeserializeOwned>(
    answers: &mut Answers<T>,
    format: Format,
    form: &Form<T>,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => tables(answers, form, out),
        Format::Json => match form.key {
            Some(key) => pretty(&Document { answers: RefCell::new(answers), key }, out),
            None => answers.try_for_each(|item| pretty(&item, out)),
        },
        Format::Ndjson => answers.try_for_each(|item| line(&item, out)),
    }
}

fn pretty(object: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, object)?;
    writeln!(out)
}

fn line(object: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    writeln!(out)
}

fn tables<T: DeserializeOwned>(
    answers: &mut Answers<T>,
    form: &Form<T>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (mut rows, mut printed) = (Vec::new(), false);
    for item in answers {
        (form.rows)(&item, &mut rows);
        if rows.len() >= ROWS_IN_TABLE {
            table(std::mem::take(&mut rows), form.head, out)?;
            printed = true;
        }
    }
    // A head with nothing below says that nothing was found.
    if rows.is_empty() && printed { Ok(()) } else { table(rows, form.head, out) }
}

fn table(rows: Vec<Vec<String>>, head: &[&str], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head).add_rows(rows);
    writeln!(out, "{table}")
}

/// All items under one key, and whether that is all: what is written first is read first.
struct Document<'a, T> {
    answers: RefCell<&'a mut Answers<T>>,
    key: &'static str,
}

impl<T: Serialize + DeserializeOwned> Serialize for Document<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.key, &Items(&self.answers))?;
        map.serialize_entry("complete", &self.answers.borrow().is_complete())?;
        map.end()
    }
}

struct Items<'a, 'b, T>(&'a RefCell<&'b mut Answers<T>>);

impl<T: Serialize + DeserializeOwned> Serialize for Items<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&mut **self.0.borrow_mut())
    }
}

/// Seconds as a person reads them.
pub(super) fn duration(secs: u64) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{secs} s"),
        (0, 0, _) => format!("{minutes} min {} s", secs % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let shown = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 1_000_000].map(duration);
        let expected =
            ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "23 h 59 min", "1 d 0 h", "11 d 13 h"];
        assert_eq!(shown, expected);
    }
}
