//! The defects: what is wrong in each, and the words of the source that make it so.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Where they are written down, from the workspace's root.
const FILE: &str = "sim/defects.toml";

/// One defect.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defect {
    /// What it is called: one word, with hyphens.
    pub(super) name: String,
    /// What is wrong then, in one sentence.
    pub(super) what: String,
    /// What is written otherwise.
    pub(super) edits: Vec<Edit>,
}

/// One place that is written otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    /// The file, from the workspace's root.
    pub(super) file: String,
    /// What is there exactly once.
    pub(super) find: String,
    /// What stands there instead.
    pub(super) replace: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    defects: Vec<Defect>,
}

/// All of them.
pub(super) fn read(root: &Path) -> Result<Vec<Defect>> {
    let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("cannot read {FILE}"))?;
    let File { defects } = toml::from_str(&text).with_context(|| FILE.to_owned())?;
    Ok(defects)
}

impl Edit {
    /// The file as it is with this edit.
    pub(super) fn apply(&self, text: &str) -> Result<String> {
        let times = text.matches(&self.find).count();
        ensure!(times == 1, "{}: `{}` is there {times} times, not once", self.file, self.find);
        Ok(text.replacen(&self.find, &self.replace, 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn every_defect_can_be_planted_in_the_source_as_it_is() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut names = BTreeSet::new();
        for Defect { name, what, edits } in read(root).unwrap() {
            assert!(names.insert(name.clone()), "{name} is there twice");
            assert!(what.ends_with('.') && !edits.is_empty(), "{name}");
            let mut files = BTreeMap::new();
            for edit in edits {
                let text = files
                    .entry(edit.file.clone())
                    .or_insert_with(|| fs::read_to_string(root.join(&edit.file)).unwrap());
                *text = edit.apply(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        assert!(names.len() >= 30, "only {} defects", names.len());
    }
}
