//! Which requirements are done, and which tests show it.
//!
//! `docs/requirements/*.toml` holds the requirements, one file per group, and tests cite them by id in a comment. Both are read
//! here and set against each other. The one invariant: a row marked done is cited by a test, and a cited id is a row.
//!
//! Nothing is compiled or run, so a citation is a promise by whoever wrote the test, and it is worth what a reviewer makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use comfy_table::{CellAlignment, Table, presets};
use regex::Regex;
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// Where the workspace keeps its crates, from its root.
const CRATES: [&str; 4] = ["pure", "edge", "sim", "xtask"];
/// Where it keeps its transcripts; each says in its head which rows it shows.
const TRANSCRIPTS: &str = "sim/transcripts";

/// Prints the coverage of the workspace at `root`; fails if a done row has no test or a cited id is no row.
pub(crate) fn run(root: &Path, format: Format) -> Result<()> {
    check(root, format, &mut io::stdout().lock())
}

fn check(root: &Path, format: Format, out: &mut impl Write) -> Result<()> {
    let groups = read_groups(&root.join("docs/requirements"))?;
    let mut citations = cited_in_tests(root)?;
    let shown = cited_in_transcripts(root)?;
    let ids = Ids::of(&groups);
    let strange = shown.iter().find(|citation| !ids.has_group_of(&citation.first));
    if let Some(Citation { text, at, .. }) = strange {
        bail!("{at}: {text} is no requirement");
    }
    citations.extend(shown);
    let coverage = Coverage::new(&groups, &citations);
    match format {
        Format::Table => write!(out, "{coverage}")?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&coverage)?)?,
    }
    let (uncovered, unknown) = (coverage.uncovered.len(), coverage.unknown.len());
    ensure!(uncovered + unknown == 0, "{uncovered} done without a test, {unknown} cited without a row");
    Ok(())
}

/// How the coverage is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table for people, and the two lists below it.
    #[default]
    Table,
    /// One object with `groups`, `uncovered` and `unknown`.
    Json,
}

/// What comes out: the table's lines and the two lists that should be empty.
#[derive(Debug, Serialize)]
struct Coverage {
    groups: Vec<Tally>,
    uncovered: Vec<Row>,
    unknown: Vec<Citation>,
}

/// One group's line of the table. `with_test` counts done rows only, so `done - with_test` of them are uncovered.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Tally {
    group: String,
    rows: usize,
    done: usize,
    with_test: usize,
    not_yet: usize,
    will_not: usize,
}

/// One file of requirements; `name` is what its ids begin with.
struct Group {
    name: String,
    rows: Vec<Row>,
}

/// One requirement, as `docs/requirements/README.md` describes it.
#[derive(Clone, Debug, Serialize)]
struct Row {
    id: String,
    level: Level,
    source: String,
    sentence: String,
    #[serde(skip)]
    status: Status,
}

/// How strongly the source asks for it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
enum Level {
    #[serde(rename = "MUST")]
    Must,
    #[serde(rename = "SHOULD")]
    Should,
    #[serde(rename = "MAY")]
    May,
    #[serde(rename = "MUST NOT")]
    MustNot,
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
    #[serde(rename = "desc")]
    Described,
    #[serde(rename = "project")]
    Project,
}

/// How far we are with it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
enum Status {
    #[serde(rename = "done")]
    Done,
    #[serde(rename = "not yet")]
    NotYet,
    #[serde(rename = "will not")]
    WillNot,
}

/// The ids from `first` to `last`, which are mostly the same one, as a test's comment names them; `at` is file and line.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Citation {
    #[serde(rename = "id")]
    text: String,
    at: String,
    #[serde(skip)]
    first: String,
    #[serde(skip)]
    last: String,
}

impl Coverage {
    /// Sets the rows and the citations against each other. Words that only look like an id, as UTF-16 does, are left aside:
    /// what a citation begins with has to be a group's name.
    fn new(groups: &[Group], citations: &[Citation]) -> Self {
        let ids = Ids::of(groups);
        let mut tested = BTreeSet::new();
        let mut unknown = Vec::new();
        for citation in citations.iter().filter(|c| ids.has_group_of(&c.first)) {
            match ids.resolve(citation) {
                Some(rows) => tested.extend(rows),
                None => unknown.push(citation.clone()),
            }
        }
        let is_tested = |row: &Row| ids.position(&row.id).is_some_and(|at| tested.contains(&at));
        Coverage {
            groups: groups.iter().map(|group| Tally::new(group, is_tested)).collect(),
            uncovered: groups
                .iter()
                .flat_map(|group| &group.rows)
                .filter(|row| row.status == Status::Done && !is_tested(row))
                .cloned()
                .collect(),
            unknown,
        }
    }
}

impl Tally {
    fn new(group: &Group, is_tested: impl Fn(&Row) -> bool) -> Self {
        let mut tally = Tally { group: group.name.clone(), rows: group.rows.len(), ..Tally::default() };
        for row in &group.rows {
            match row.status {
                Status::Done => tally.done += 1,
                Status::NotYet => tally.not_yet += 1,
                Status::WillNot => tally.will_not += 1,
            }
            tally.with_test += usize::from(row.status == Status::Done && is_tested(row));
        }
        tally
    }

    fn sum(tallies: &[Tally]) -> Self {
        tallies.iter().fold(Tally { group: "total".into(), ..Tally::default() }, |sum, tally| Tally {
            group: sum.group,
            rows: sum.rows + tally.rows,
            done: sum.done + tally.done,
            with_test: sum.with_test + tally.with_test,
            not_yet: sum.not_yet + tally.not_yet,
            will_not: sum.will_not + tally.will_not,
        })
    }

    fn cells(&self) -> [String; 6] {
        let Tally { group, rows, done, with_test, not_yet, will_not } = self;
        let numbers = [rows, done, with_test, not_yet, will_not].map(usize::to_string);
        let [rows, done, with_test, not_yet, will_not] = numbers;
        [group.clone(), rows, done, with_test, not_yet, will_not]
    }
}

/// Every id and its place in the order of files and rows, so that a range of ids is a range of places.
struct Ids<'a>(BTreeMap<&'a str, usize>);

impl<'a> Ids<'a> {
    fn of(groups: &'a [Group]) -> Self {
        let rows = groups.iter().flat_map(|group| &group.rows);
        Ids(rows.enumerate().map(|(at, row)| (row.id.as_str(), at)).collect())
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.0.get(id).copied()
    }

    fn has_group_of(&self, id: &str) -> bool {
        self.0.keys().any(|known| group_of(known) == group_of(id))
    }

    /// The places a citation names; none if an end of it is no row, or if it runs backwards or across groups.
    fn resolve(&self, citation: &Citation) -> Option<Range<usize>> {
        let (first, last) = (self.position(&citation.first)?, self.position(&citation.last)?);
        let in_order = first <= last && group_of(&citation.first) == group_of(&citation.last);
        in_order.then_some(first..last + 1)
    }
}

/// What stands before the number: `BLQ-S` of `BLQ-S-14`.
fn group_of(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(group, _)| group)
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header(["group", "rows", "done", "with a test", "not yet", "will not"]);
        table.add_rows(self.groups.iter().map(Tally::cells));
        table.add_row(Tally::sum(&self.groups).cells());
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{table}")?;

        if !self.uncovered.is_empty() {
            writeln!(f, "\nDone, but no test cites them:")?;
        }
        for Row { id, source, sentence, .. } in &self.uncovered {
            writeln!(f, "  {id} ({source}): {sentence}")?;
        }
        if !self.unknown.is_empty() {
            writeln!(f, "\nCited, but no such rows:")?;
        }
        for Citation { text, at, .. } in &self.unknown {
            writeln!(f, "  {text} at {at}")?;
        }
        Ok(())
    }
}

/// Reads every group in `folder`, in the order of their names; what is wrong with any row of a file is told at once.
fn read_groups(folder: &Path) -> Result<Vec<Group>> {
    let mut files = entries(folder)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    ensure!(!files.is_empty(), "{} holds no requirements", folder.display());

    let mut first_seen = BTreeMap::new();
    files.iter().map(|file| read_group(file, &mut first_seen)).collect()
}

/// Reads one group. `first_seen` says where each id of this and earlier files stands.
fn read_group(file: &Path, first_seen: &mut BTreeMap<String, String>) -> Result<Group> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let RawGroup { row } = toml::from_str(&text).with_context(|| format!("in {}", file.display()))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy().to_uppercase();

    let mut faults = Vec::new();
    for row in &row {
        let id = row.id.get_ref();
        let at = format!("{}:{}", file.display(), line_of(&text, row.id.span().start));
        faults.extend(row.faults(&name).map(|fault| format!("{at}: {id} {fault}")));
        if let Some(first) = first_seen.get(id) {
            faults.push(format!("{at}: {id} is already at {first}"));
        } else {
            first_seen.insert(id.clone(), at);
        }
    }
    if !faults.is_empty() {
        bail!(faults.join("\n"));
    }
    Ok(Group { name, rows: row.into_iter().map(Row::from).collect() })
}

/// A file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    row: Vec<RawRow>,
}

/// A row as written; `faults` says what may still be wrong with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    id: Spanned<String>,
    level: Level,
    source: String,
    sentence: String,
    status: Status,
    reason: Option<String>,
}

impl RawRow {
    fn faults(&self, group: &str) -> impl Iterator<Item = &'static str> {
        let id = self.id.get_ref();
        let numbered =
            id.rsplit_once('-').is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        let reasoned = self.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty());
        let done = self.status == Status::Done;
        [
            (!numbered || group_of(id) != group, "is not this file's name and a number"),
            (self.source.trim().is_empty(), "has no source"),
            (self.sentence.trim().is_empty(), "has no sentence"),
            (!done && !reasoned, "is not done and gives no reason"),
            (done && self.reason.is_some(), "is done and needs no reason"),
        ]
        .into_iter()
        .filter_map(|(wrong, fault)| wrong.then_some(fault))
    }
}

impl From<RawRow> for Row {
    fn from(RawRow { id, level, source, sentence, status, reason: _ }: RawRow) -> Self {
        Row { id: id.into_inner(), level, source, sentence, status }
    }
}

/// The number, from 1, of the line that octet `at` of `text` is on.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&octet| octet == b'\n').count()
}

/// All citations in the test code of the workspace's crates.
fn cited_in_tests(root: &Path) -> Result<Vec<Citation>> {
    let mut files = Vec::new();
    for folder in CRATES.map(|folder| root.join(folder)).iter().filter(|folder| folder.is_dir()) {
        collect_files(folder, "rs", &mut files)?;
    }
    let mut citations = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let path = file.strip_prefix(root).unwrap_or(&file);
        citations.extend(citations_in(&text, path)?);
    }
    Ok(citations)
}

/// All ids that transcripts say they show. Whatever stands there is a citation: what is no id is no row either.
fn cited_in_transcripts(root: &Path) -> Result<Vec<Citation>> {
    let folder = root.join(TRANSCRIPTS);
    let mut files = Vec::new();
    if folder.is_dir() {
        collect_files(&folder, "txt", &mut files)?;
    }
    let mut citations = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let path = file.strip_prefix(root).unwrap_or(&file);
        for (index, line) in text.lines().enumerate() {
            let ids = line.strip_prefix("requires:").into_iter().flat_map(|ids| ids.split(','));
            citations.extend(ids.map(str::trim).filter(|id| !id.is_empty()).map(|id| Citation {
                text: id.to_owned(),
                at: format!("{}:{}", path.display(), index + 1),
                first: id.to_owned(),
                last: id.to_owned(),
            }));
        }
    }
    Ok(citations)
}

/// Adds the files under `folder` that end like this, but none of a build's.
fn collect_files(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in entries(folder)? {
        let is_link = path.symlink_metadata().is_ok_and(|about| about.is_symlink());
        if path.is_dir() && !is_link && !path.ends_with("target") {
            collect_files(&path, extension, files)?;
        } else if path.is_file() && path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    Ok(())
}

/// What is in `folder`, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = read().with_context(|| format!("cannot list {}", folder.display()))?;
    paths.sort();
    Ok(paths)
}

/// The citations in the test code of one file; `path` is the file's, from the workspace's root.
fn citations_in(text: &str, path: &Path) -> Result<Vec<Citation>> {
    let id = "[A-Z]+(?:-[A-Z]+)*-[0-9]+";
    let pattern = Regex::new(&format!(r"\b({id})(?:\.\.({id}))?\b"))?;
    let comments = text.lines().enumerate().skip(test_code_starts(text, path)).filter_map(|(index, line)| {
        let (_, comment) = line.split_once("//")?;
        Some((format!("{}:{}", path.display(), index + 1), comment))
    });
    Ok(comments
        .flat_map(|(at, comment)| {
            pattern.captures_iter(comment).map(move |found| Citation {
                text: found[0].to_owned(),
                at: at.clone(),
                first: found[1].to_owned(),
                last: found.get(2).map_or(&found[1], |last| last.as_str()).to_owned(),
            })
        })
        .collect())
}

/// How many lines of a file come before its test code: none in a test file, all where there are no tests. A `#[cfg(test)]` opens
/// test code only if what follows has a body here: `mod tests;` is another file.
fn test_code_starts(text: &str, path: &Path) -> usize {
    let is_test_file =
        path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
    if is_test_file {
        return 0;
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let opens = |pair: &[&str]| pair[0] == "#[cfg(test)]" && !pair[1].ends_with(';');
    lines.windows(2).position(opens).unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    //! The ids here belong to groups that no requirement has, so that they cite nothing.

    use super::*;

    const GOOD: &str = r#"
[[row]]
id = "XX-Y-01"
level = "MUST"
source = "RFC 1 §1"
sentence = "It holds."
status = "done"

[[row]]
id = "XX-Y-02"
level = "desc"
source = "RFC 1 §2"
sentence = "It holds too."
status = "done"

[[row]]
id = "XX-Y-03"
level = "project"
source = "project"
sentence = "It will hold."
status = "not yet"
reason = "comes later"
"#;

    /// A workspace of the given files, each a path and a text.
    fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn coverage(files: &[(&str, &str)]) -> Coverage {
        let root = workspace(files);
        let groups = read_groups(&root.path().join("docs/requirements")).unwrap();
        Coverage::new(&groups, &cited_in_tests(root.path()).unwrap())
    }

    fn read_error(text: &str) -> String {
        let root = workspace(&[("xx-y.toml", text)]);
        format!("{:#}", read_groups(root.path()).err().expect("an error"))
    }

    fn uncovered(coverage: &Coverage) -> Vec<&str> {
        coverage.uncovered.iter().map(|row| row.id.as_str()).collect()
    }

    fn unknown(coverage: &Coverage) -> Vec<&str> {
        coverage.unknown.iter().map(|citation| citation.text.as_str()).collect()
    }

    #[test]
    fn counts_by_status_and_lists_what_no_test_cites() {
        let coverage = coverage(&[
            ("docs/requirements/xx-y.toml", GOOD),
            ("pure/a/tests/t.rs", "// XX-Y-01\n#[test]\n"),
        ]);
        let line = Tally { group: "XX-Y".into(), rows: 3, done: 2, with_test: 1, not_yet: 1, will_not: 0 };
        assert_eq!(coverage.groups, [line]);
        assert_eq!(uncovered(&coverage), ["XX-Y-02"]);
        assert!(coverage.unknown.is_empty());
    }

    #[test]
    fn reads_lists_and_ranges() {
        let listed = coverage(&[
            ("docs/requirements/xx-y.toml", GOOD),
            ("pure/a/src/tests.rs", "    // XX-Y-01, XX-Y-02: both\n"),
        ]);
        assert!(uncovered(&listed).is_empty());
        let ranged = coverage(&[
            ("docs/requirements/xx-y.toml", GOOD),
            ("edge/a/src/b/tests/c.rs", "let x = 1; // XX-Y-01..XX-Y-03\n"),
        ]);
        assert!(uncovered(&ranged).is_empty() && ranged.unknown.is_empty());
    }

    #[test]
    fn lists_cited_ids_that_are_no_rows_and_where() {
        let coverage = coverage(&[
            ("docs/requirements/xx-y.toml", GOOD),
            ("xtask/tests/t.rs", "// UTF-16\n// XX-Y-9, XX-Y-02..XX-Y-01 XX-Y-01..XX-Y-7\n"),
        ]);
        assert_eq!(unknown(&coverage), ["XX-Y-9", "XX-Y-02..XX-Y-01", "XX-Y-01..XX-Y-7"]);
        assert_eq!(coverage.unknown[0].at, "xtask/tests/t.rs:2");
    }

    #[test]
    fn counts_test_code_only() {
        let source =
            "// XX-Y-01\n#[cfg(test)]\nmod far;\nfn f() {}\n#[cfg(test)]\nmod tests {\n// XX-Y-02\n}\n";
        let coverage = coverage(&[
            ("docs/requirements/xx-y.toml", GOOD),
            ("pure/a/src/lib.rs", source),
            ("pure/a/src/b.rs", "// XX-Y-01\n"),
            ("pure/a/target/tests/c.rs", "// XX-Y-01\n"),
            ("pure/a/tests/d.rs", "let id = \"XX-Y-01\";\n"),
            ("pure/a/tests/e.md", "// XX-Y-01\n"),
        ]);
        assert_eq!(uncovered(&coverage), ["XX-Y-01"]);
    }

    #[test]
    fn a_transcript_cites_in_its_head() {
        let text = "title: It holds\nrequires: XX-Y-01, XX-Y-02\nrequires: XX-Y-99\n\nC1 sends # XX-Y-03\n";
        let root = workspace(&[
            ("docs/requirements/xx-y.toml", GOOD),
            ("sim/transcripts/xx-y/it-holds.txt", text),
            ("sim/transcripts/README.md", "requires: XX-Y-98\n"),
        ]);
        let groups = read_groups(&root.path().join("docs/requirements")).unwrap();
        let coverage = Coverage::new(&groups, &cited_in_transcripts(root.path()).unwrap());
        assert!(uncovered(&coverage).is_empty());
        assert_eq!(unknown(&coverage), ["XX-Y-99"]);
        assert_eq!(coverage.unknown[0].at, "sim/transcripts/xx-y/it-holds.txt:3");
    }

    #[test]
    fn a_second_row_with_the_same_id_is_an_error() {
        let error = read_error(&GOOD.replace("XX-Y-02", "XX-Y-01"));
        assert!(error.contains("xx-y.toml:10: XX-Y-01 is already at"), "{error}");
        assert!(error.ends_with("xx-y.toml:3"), "{error}");
    }

    #[test]
    fn a_row_not_done_needs_a_reason_and_a_done_one_needs_none() {
        let error = read_error(&GOOD.replace("reason = \"comes later\"", ""));
        assert!(error.contains("xx-y.toml:17: XX-Y-03 is not done and gives no reason"), "{error}");
        let error = read_error(&GOOD.replace("\"not yet\"", "\"done\""));
        assert!(error.contains("XX-Y-03 is done and needs no reason"), "{error}");
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        assert!(read_error(&GOOD.replace("source = \"project\"", "sauce = \"project\"")).contains("sauce"));
        assert!(read_error(&GOOD.replace("\"desc\"", "\"WISH\"")).contains("WISH"));
        assert!(
            read_error(&GOOD.replace("XX-Y-03", "XX-Z-03")).contains("is not this file's name and a number")
        );
        assert!(
            read_error(&GOOD.replace("XX-Y-03", "XX-Y-")).contains("is not this file's name and a number")
        );
        assert!(read_error("[[row").contains("xx-y.toml"));
    }

    #[test]
    fn fails_unless_both_lists_are_empty() {
        let check = |files: &[(&str, &str)]| check(workspace(files).path(), Format::Json, &mut Vec::new());
        let good = ("docs/requirements/xx-y.toml", GOOD);
        assert!(check(&[good, ("pure/a/tests/t.rs", "// XX-Y-01..XX-Y-02\n")]).is_ok());
        assert!(check(&[good, ("pure/a/tests/t.rs", "// XX-Y-01\n")]).is_err());
        assert!(check(&[good, ("pure/a/tests/t.rs", "// XX-Y-01..XX-Y-02, XX-Y-77\n")]).is_err());
        let shown =
            |id: &str| check(&[good, ("sim/transcripts/xx-y/a.txt", &format!("requires: XX-Y-01, {id}\n"))]);
        assert!(shown("XX-Y-02").is_ok());
        assert!(shown("XX-Y-02, YY-01").is_err());
        assert!(shown("XX-Y-02, by relay").is_err());
        assert!(check(&[("docs/requirements/README.md", "")]).is_err());
    }

    #[test]
    fn the_json_keys_stay_as_they_are() {
        let coverage =
            coverage(&[("docs/requirements/xx-y.toml", GOOD), ("pure/a/tests/t.rs", "// XX-Y-01, XX-Y-9\n")]);
        let expected = serde_json::json!({
            "groups": [{"group": "XX-Y", "rows": 3, "done": 2, "with_test": 1, "not_yet": 1, "will_not": 0}],
            "uncovered": [
                {"id": "XX-Y-02", "level": "desc", "source": "RFC 1 §2", "sentence": "It holds too."}
            ],
            "unknown": [{"id": "XX-Y-9", "at": "pure/a/tests/t.rs:1"}],
        });
        assert_eq!(serde_json::to_value(&coverage).unwrap(), expected);
    }

    #[test]
    fn the_table_shows_both_lists() {
        let coverage =
            coverage(&[("docs/requirements/xx-y.toml", GOOD), ("pure/a/tests/t.rs", "// XX-Y-01, XX-Y-9\n")]);
        let text = coverage.to_string();
        assert!(text.contains("  XX-Y-02 (RFC 1 §2): It holds too.\n"), "{text}");
        assert!(text.contains("  XX-Y-9 at pure/a/tests/t.rs:1\n"), "{text}");
    }
}
