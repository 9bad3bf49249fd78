//! Recovery: from the relay's start, with nothing remembered and an empty routing table, to the last of its routes in the kernel.
//!
//! ```text
//! probe == veth == leasehold relay == veth == leasehold serve, with so many clients behind that relay
//!                        |
//!                     kernel: routes are counted as they come
//! ```
//!
//! Beside it stands what the kernel needs anyway: the same routes put in by the same batched writer with nothing around it, in the
//! order in which the server tells of them and, what suits the kernel better, sorted; and by `ip -6 -batch`. A probe says how long a client's messages take through the relay meanwhile.

mod figures;
mod kernel;
mod probe;
mod programs;
mod site;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;
use nix::unistd::geteuid;

use super::Format;
use super::process::Program;
use super::processors::Processors;
use super::surroundings::{again_in_release, load};
use figures::{Figures, Recovery, Run};
use kernel::{Counter, RawWriter};
use probe::Probe;
use site::{ACCESS, SERVER, Site};

/// How many routes if nothing is said: a large access router; and what shows that the time grows with them and no faster.
const ROUTES: u64 = 64_000;
const OTHERS: [u64; 2] = [10_000, 128_000];
/// In which a recovery has to succeed.
const MAX_RECOVERY: Duration = Duration::from_secs(120);
/// How long the relay is left alone afterwards, until its memory and the delays are those of every day.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// How often the line that shows the progress is drawn.
const PROGRESS_STEP: Duration = Duration::from_millis(200);

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many routes; without it 64,000, and 10,000 and 128,000 beside it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    routes: Option<u64>,
    /// How often each is measured, for the one in the middle
    #[arg(long, value_name = "TIMES", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How to print the figures
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Measures, and prints the figures.
pub(super) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    ensure!(geteuid().is_root(), "this bench makes network namespaces: it has to be run as root");
    if cfg!(debug_assertions) {
        return again_in_release(root);
    }
    let folder = tempfile::tempdir()?;
    let bench = Bench {
        program: Program::build(root)?,
        raw: RawWriter::build(root)?,
        site: Site::make()?,
        processors: Processors::divide()?,
        rounds: arguments.rounds,
        folder: folder.path().to_owned(),
        progress: ProgressBar::new_spinner(),
    };
    bench.progress.enable_steady_tick(PROGRESS_STEP);
    let load_before = load()?;
    let main = bench.measure(arguments.routes.unwrap_or(ROUTES))?;
    let others = if arguments.routes.is_some() { &[][..] } else { &OTHERS };
    let others = others.iter().map(|routes| bench.measure(*routes)).collect::<Result<_>>()?;
    let figures = Figures::new(main, others, &bench.processors, load_before);
    bench.progress.finish_and_clear();
    arguments.format.print(&figures)
}

struct Bench {
    program: Program,
    raw: RawWriter,
    site: Site,
    processors: Processors,
    rounds: u16,
    folder: PathBuf,
    progress: ProgressBar,
}

impl Bench {
    fn measure(&self, routes: u64) -> Result<Run> {
        self.progress.set_message(format!("{routes} routes: the server loads"));
        let state = self.folder.join(routes.to_string());
        self.program.populate_behind(&ACCESS, routes, &state)?;
        let server = programs::server(&self.program, &self.site, &self.processors.generator, &state)?;
        let query_seconds = self.query()?;
        let told = self.told()?;
        let empty = self.empty_octets()?;
        let mut recoveries = Vec::new();
        for round in 1..=self.rounds {
            self.progress.set_message(format!("{routes} routes: round {round}"));
            let recovery = self.recover(routes, &told, empty);
            recoveries.push(recovery.with_context(|| format!("the server: {}", server.last_words()))?);
        }
        Ok(Run::new(routes, query_seconds, recoveries))
    }

    /// Seconds that somebody takes to ask for everything, and to count it.
    fn query(&self) -> Result<f64> {
        let server = (SERVER, wire::SERVER_PORT).into();
        let relay = super::synthetic_relay();
        Ok(self.site.relay.within(|| self.program.query(server, &relay)?.finish())?.seconds)
    }

    /// Every prefix, in the order in which the server tells of them.
    fn told(&self) -> Result<Vec<String>> {
        let mut query = self.program.command();
        query.args(["query", &format!("[{SERVER}]:{}", wire::SERVER_PORT), "relay-id"]);
        query.args([&super::synthetic_relay(), "--format", "ndjson"]);
        let output = self.site.relay.within(|| Ok(query.output()?))?;
        ensure!(output.status.success(), "leasehold query: {}", output.status);
        let clients = output.stdout.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        let mut told = Vec::new();
        for client in clients {
            let client: serde_json::Value = serde_json::from_slice(client)?;
            let leases = client["leases"].as_array().into_iter().flatten();
            told.extend(leases.filter_map(|lease| lease["prefix"].as_str().map(str::to_owned)));
        }
        Ok(told)
    }

    /// What a relay holds to which nothing was delegated.
    fn empty_octets(&self) -> Result<u64> {
        let folder = tempfile::tempdir_in(&self.folder)?;
        let processors = &self.processors.server;
        let mut relay = programs::relay(&self.program, &self.site, processors, folder.path(), false)?;
        thread::sleep(AFTERWARDS);
        relay.ensure_running()?;
        relay.resident_octets()
    }

    /// Has a relay recover; then puts the same routes in without it.
    fn recover(&self, routes: u64, told: &[String], empty_octets: u64) -> Result<Recovery> {
        let namespace = &self.site.relay;
        let mut counter = Counter::open(namespace)?;
        let none = counter.routes()?;
        let folder = tempfile::tempdir_in(&self.folder)?;
        let probe = Probe::start(&self.site)?;
        let begun = Instant::now();
        let mut relay =
            programs::relay(&self.program, &self.site, &self.processors.server, folder.path(), true)?;
        let came = counter.wait(none + routes, MAX_RECOVERY);
        let ended = Instant::now();
        came.with_context(|| relay.last_words())?;
        let thread_seconds = programs::thread_seconds(&relay)?;
        thread::sleep(AFTERWARDS);
        relay.ensure_running()?;
        let held = relay.resident_octets()?;
        let delays = probe.finish()?;
        drop(relay);

        let list = kernel::list(namespace)?;
        ensure!(list.len() as u64 == routes, "{} routes are there, not {routes}", list.len());
        kernel::flush(namespace)?;
        let raw_seconds = self.raw.seconds(namespace, &kernel::in_order(&list, told)?)?;
        ensure!(kernel::list(namespace)? == list, "the raw writer has put in other routes");
        kernel::flush(namespace)?;
        let raw_sorted_seconds = self.raw.seconds(namespace, &list)?;
        kernel::flush(namespace)?;
        let ip_batch_seconds = kernel::ip_batch_seconds(namespace, &list)?;
        kernel::flush(namespace)?;
        let settled = ended + AFTERWARDS / 2;
        Ok(Recovery {
            seconds: (ended - begun).as_secs_f64(),
            raw_seconds,
            raw_sorted_seconds,
            ip_batch_seconds,
            forwarding_after_seconds: (delays.first_forwarded() - begun).as_secs_f64(),
            thread_seconds,
            memory_per_delegation: held.saturating_sub(empty_octets) as f64 / routes as f64,
            delay_meanwhile: delays.between(begun, ended)?,
            delay_afterwards: delays.between(settled, settled + AFTERWARDS / 2)?,
        })
    }
}
