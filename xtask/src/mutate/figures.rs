//! Which defects were found, by what, and after how many seeds.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::defects::Defect;

/// What came of looking for a defect.
pub(super) struct Tried {
    pub(super) found: Option<Found>,
    /// Seeds that were run.
    pub(super) seeds: u64,
    pub(super) took: Duration,
}

/// How a defect shows.
#[derive(Serialize)]
pub(super) struct Found {
    /// The property that does not hold.
    pub(super) property: String,
    /// In what way.
    pub(super) what: String,
    /// The seed.
    pub(super) seed: u64,
}

/// All defects that were planted.
#[derive(Default, Serialize)]
pub(super) struct Figures {
    defects: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    what: String,
    found: Option<Found>,
    seeds: u64,
    took_secs: f64,
}

impl Figures {
    /// Adds one.
    pub(super) fn add(&mut self, defect: &Defect, tried: Tried) {
        let Tried { found, seeds, took } = tried;
        let (name, what) = (defect.name.clone(), defect.what.clone());
        self.defects.push(Row { name, what, found, seeds, took_secs: took.as_secs_f64() });
    }

    /// Those that were not found.
    pub(super) fn missed(&self) -> Vec<String> {
        self.defects.iter().filter(|row| row.found.is_none()).map(|row| row.name.clone()).collect()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN).set_header(["defect", "found by", "seeds", "s"]);
        for Row { name, found, seeds, took_secs, .. } in &self.defects {
            let by = found.as_ref().map_or("NOT FOUND", |found| &found.property);
            table.add_row([name, by, &seeds.to_string(), &format!("{took_secs:.1}")]);
        }
        table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        writeln!(f, "{table}")?;
        let found = self.defects.iter().filter(|row| row.found.is_some()).count();
        writeln!(f, "{found} of {} found", self.defects.len())
    }
}
