//! Kills: the server and the relay by SIGKILL under load, as often as is wanted, and everything that was acknowledged is there.
//!
//! It is a test of the package `leasehold` (`tests/kill`), which kills a few times whenever tests run. Here it is built as it
//! is released, told how often to kill, and asked what has come of it.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use indicatif::HumanCount;
use serde::{Deserialize, Serialize};

use crate::bench::Format;

/// How often to kill, and how to say what has come of it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Kills of each program
    #[arg(long, default_value_t = 200)]
    times: u64,
    /// Draws the moments of the kills and what customers do
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only one of the two
    #[arg(long, value_enum)]
    only: Option<Program>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What is killed.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Program {
    Server,
    /// Needs root, for network namespaces
    Relay,
}

impl Program {
    const ALL: [Self; 2] = [Self::Server, Self::Relay];

    fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Relay => "relay",
        }
    }

    /// What its test is called, in part.
    fn test(self) -> &'static str {
        match self {
            Self::Server => "a_server_keeps",
            Self::Relay => "a_relay_has",
        }
    }
}

/// Kills, and prints what has come of it; fails if anything was lost.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    ensure!(arguments.times > 0, "to kill 0 times shows nothing");
    let folder = tempfile::tempdir()?;
    let mut reports = Vec::new();
    for program in Program::ALL {
        if arguments.only.is_none_or(|only| only == program) {
            reports.push(kill(root, arguments, program, &folder.path().join(program.name()))?);
        }
    }
    arguments.format.print(&Reports(reports))
}

fn kill(root: &Path, arguments: &Arguments, program: Program, report: &Path) -> Result<Report> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "test",
            "--quiet",
            "--release",
            "--package",
            "leasehold",
            "--test",
            "kill",
            "--",
            "--nocapture",
        ])
        .arg(program.test())
        .env("LEASEHOLD_KILLS", arguments.times.to_string())
        .env("LEASEHOLD_SEED", arguments.seed.to_string())
        .env("LEASEHOLD_KILL_REPORT", report)
        .current_dir(root)
        .stdout(Stdio::null())
        .status()
        .context("cargo does not start")?;
    let name = program.name();
    if !status.success() {
        bail!(
            "the {name} has not kept what it has said; once more with --only {name} --seed {}",
            arguments.seed
        );
    }
    let line = std::fs::read_to_string(report).with_context(|| format!("the {name} was not tested"))?;
    Ok(serde_json::from_str(&line)?)
}

/// What the test says has come of a run.
#[derive(Serialize, Deserialize)]
struct Report {
    program: String,
    seed: u64,
    kills: u64,
    moments: BTreeMap<String, u64>,
    replies: u64,
    acknowledged: u64,
    returned: u64,
    customers: u64,
    kept: u64,
    routes: u64,
    restart_p50_ms: f64,
    restart_max_ms: f64,
    seconds: f64,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Reports(Vec<Report>);

impl fmt::Display for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|report| report.fmt(f))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            seed,
            kills,
            moments,
            replies,
            acknowledged,
            returned,
            customers,
            kept,
            routes,
            ..
        } = self;
        let moments: Vec<String> =
            moments.iter().map(|(moment, kills)| format!("{kills} {moment}")).collect();
        writeln!(
            f,
            "{program}: killed {kills} times in {:.0} s (seed {seed}): {}",
            self.seconds,
            moments.join(", ")
        )?;
        let [replies, acknowledged, returned] =
            [replies, acknowledged, returned].map(|count| HumanCount(*count));
        let [customers, kept, routes] = [customers, kept, routes].map(|count| HumanCount(*count));
        writeln!(f, "  {customers} customers received {replies} Replies:")?;
        writeln!(f, "  {acknowledged} leases granted or extended, {returned} given back")?;
        writeln!(f, "  after the restarts {kept} promises were looked at, and all were kept")?;
        if self.routes > 0 {
            writeln!(
                f,
                "  {routes} routes were compared with what the server had delegated, and none was wrong"
            )?;
        }
        let (p50, max) = (self.restart_p50_ms, self.restart_max_ms);
        writeln!(f, "  at work again after {p50:.0} ms (median), {max:.0} ms (longest)")
    }
}
