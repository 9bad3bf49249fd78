//! Transcripts: what is said between clients, relays, servers and requestors, written as a page of a standard would
//! write an example, and played against the very nodes that seeds have, in virtual time.
//!
//! `sim/transcripts/README.md` tells the language. Reading goes from lines (`lines`) to who takes part (`site`)
//! and to steps (`story`), each of which knows how to be played on a `stage`. Messages are one kind of tree, whether
//! they are to be sent, expected, or have come (`message`); octets and trees meet in tables of options (`shapes`)
//! and of values (`value`).

mod asking;
mod cast;
mod datagrams;
mod expect;
mod fault;
mod holding;
mod lines;
mod machine;
mod message;
mod octets;
mod relaying;
mod routing;
mod serving;
mod settling;
mod shapes;
mod site;
mod stage;
mod story;
mod streams;
#[cfg(test)]
mod tests;
mod told;
mod troubles;
mod value;
mod words;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use cast::Cast;
use lines::Line;
use site::Site;
use stage::{Act, Mishap, Stage};
use words::Words;

pub use fault::Fault;

/// A transcript that has been read.
pub struct Transcript {
    /// What it shows, in one sentence.
    pub title: String,
    /// The requirements that it shows.
    pub requires: Vec<String>,
    site: Site,
    cast: Cast,
    steps: Vec<(Line, Box<dyn Act>)>,
    lines: Vec<String>,
}

/// What has come of playing one.
#[derive(Debug, Clone)]
pub struct Report {
    /// What it shows.
    pub title: String,
    /// How many steps there were.
    pub steps: usize,
    /// How much virtual time they took.
    pub took: std::time::Duration,
}

/// Why one does not play.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; 0 if it could not be read at all.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// The line as written.
    pub written: String,
    /// What was expected, what has come, and what went before.
    pub shown: Vec<(String, String)>,
}

/// Plays a file to its end, or to the first thing that is not as it says.
pub fn play(path: &Path) -> Result<Report, Failure> {
    play_telling(path, &mut |_| {})
}

/// The same; each step is told before it is done.
pub fn play_telling(path: &Path, tell: &mut dyn FnMut(&str)) -> Result<Report, Failure> {
    let fail =
        |line, what| Failure { path: path.to_owned(), line, what, written: String::new(), shown: Vec::new() };
    let text = fs::read_to_string(path).map_err(|error| fail(0, format!("cannot be read: {error}")))?;
    let transcript = Transcript::read(&text).map_err(|fault| Failure {
        written: text.lines().nth(fault.line.saturating_sub(1)).unwrap_or_default().to_owned(),
        ..fail(fault.line, format!("{}; right would be {}", fault.what, fault.right))
    })?;
    transcript.play(path, tell)
}

impl Transcript {
    /// Reads one.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let lines = lines::read(text)?;
        let (mut title, mut requires) = (None, Vec::new());
        let (introductions, lines): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(is_introduction);
        let mut cast = Cast::default();
        let site = Site::read(&introductions, &mut cast)?;
        let mut steps: Vec<(Line, Box<dyn Act>)> = Vec::new();
        for line in lines {
            if let Some(rest) = line.text.strip_prefix("title:") {
                title = Some(rest.trim().to_owned());
            } else if let Some(rest) = line.text.strip_prefix("requires:") {
                requires.extend(rest.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()));
            } else {
                let act = story::step(&line, &cast)?;
                steps.push((line, act));
            }
        }
        let late =
            introductions.last().zip(steps.first()).filter(|(last, (first, _))| last.number > first.number);
        if let Some((last, _)) = late {
            return Err(Fault::new(last.number, "somebody joins late", "everybody before the first step"));
        }
        let title = title.filter(|title| !title.is_empty());
        let title = title.ok_or_else(|| Fault::new(1, "there is no title", "title: and a sentence"))?;
        if requires.is_empty() {
            return Err(Fault::new(1, "it shows no requirement", "requires: and ids such as BLQ-S-14"));
        }
        if steps.is_empty() {
            return Err(Fault::new(1, "nothing happens", "steps"));
        }
        let lines = text.lines().map(str::to_owned).collect();
        Ok(Self { title, requires, site, cast, steps, lines })
    }

    /// Plays it.
    fn play(self, path: &Path, tell: &mut dyn FnMut(&str)) -> Result<Report, Failure> {
        let Self { title, site, cast, steps, lines, .. } = self;
        let mut stage = Stage::new(site.settle(), cast);
        let begin = stage.universe.now();
        let outcome = steps.iter().try_for_each(|(line, act)| {
            tell(&format!("{:>12.3}  {}", stage.universe.now().since(begin).as_secs_f64(), line.text));
            act.play(&mut stage)
        });
        let last = steps.last().map_or(0, |(line, _)| line.number);
        match outcome.and_then(|()| stage.end(last)) {
            Ok(()) => Ok(Report { title, steps: steps.len(), took: stage.universe.now().since(begin) }),
            Err(mishap) => Err(failure(path, mishap, &lines, &stage)),
        }
    }
}

fn is_introduction(line: &Line) -> bool {
    Words::new(line.number, &line.text).peek().is_some_and(|first| site::KINDS.contains(&first))
}

fn failure(path: &Path, mishap: Mishap, lines: &[String], stage: &Stage) -> Failure {
    let Mishap { line, what, shown } = mishap;
    let mut shown: Vec<(String, String)> =
        shown.into_iter().map(|(title, text)| (title.to_owned(), text)).collect();
    let trace: Vec<String> = stage.trace.iter().cloned().collect();
    shown.push(("what went before".to_owned(), trace.join("\n")));
    let written = lines.get(line.saturating_sub(1)).cloned().unwrap_or_default();
    Failure { path: path.to_owned(), line, what, written, shown }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, written, shown } = self;
        writeln!(f, "{}:{line}: {what}", path.display())?;
        if !written.is_empty() {
            writeln!(f, "  {line} | {written}")?;
        }
        for (title, text) in shown {
            writeln!(f, "{title}:")?;
            text.lines().try_for_each(|line| writeln!(f, "    {line}"))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// The transcripts in a folder and in those below it, in the order of their names.
pub fn all_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(all_in(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
