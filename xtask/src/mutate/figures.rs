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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_told_under_these_keys() {
        let defect =
            |name: &str| Defect { name: name.into(), what: "It is wrong.".into(), edits: Vec::new() };
        let found = Found { property: "kept".into(), what: "it was not".into(), seed: 7 };
        let mut figures = Figures::default();
        figures.add(
            &defect("found"),
            Tried { found: Some(found), seeds: 8, took: Duration::from_millis(1_500) },
        );
        figures.add(&defect("missed"), Tried { found: None, seeds: 9, took: Duration::ZERO });
        let expected = json!({ "defects": [
            {
                "name": "found",
                "what": "It is wrong.",
                "found": { "property": "kept", "what": "it was not", "seed": 7 },
                "seeds": 8,
                "took_secs": 1.5,
            },
            { "name": "missed", "what": "It is wrong.", "found": null, "seeds": 9, "took_secs": 0.0 },
        ] });
        assert_eq!(serde_json::to_value(&figures).unwrap(), expected);
        assert_eq!(figures.missed(), ["missed"]);
    }
}
