//! Exchanges of four messages (Solicit, Advertise, Request, Reply) of clients that are new: how many a second.
//!
//! ```text
//! generator (threads of this process) == veth between two namespaces == leasehold | kea-dhcp6 | a responder without any logic
//! ```
//!
//! For every case the servers are measured one after the other, each with a state of its own: a [`search`](super::search) for the highest rate
//! that is sustained, then one step at [`CALM`] of it for the latencies. Leasehold answers when a binding has been synced; Kea
//! writes its lease file and does not sync. The responder shows what the interfaces and the kernel allow.

mod answer;
pub(super) mod case;
mod figures;
mod flights;
mod generator;
mod growth;
mod network;
mod perfdhcp;
mod recording;
pub(super) mod responder;
mod sender;
mod servers;
mod step;
mod tally;
pub(super) mod template;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;
use nix::unistd::geteuid;

use super::Format;
use super::process::Program;
use super::processors::Processors;
use super::running::Running;
use super::search::highest_rate;
use super::surroundings::{again_in_release, load, starts};
use case::Case;
use figures::{Comparison, Figures, Measured, Perfdhcp, Surroundings};
use generator::Generator;
pub(super) use network::MAX_SENDERS;
use network::Network;
use servers::Contender;

/// The share of the highest rate at which latencies are taken: busy, and not at the brink.
const CALM: f64 = 0.8;
/// How long a step lasts.
const SECONDS: f64 = 3.0;
/// How long a step lasts when there is no time.
const QUICK_SECONDS: f64 = 1.0;
/// How often something is synced to see how long that takes.
const SYNCS: usize = 50;
/// What is synced: a page.
const SYNCED_OCTETS: usize = 4096;
/// How often the line that shows the progress is drawn.
const PROGRESS_STEP: Duration = Duration::from_millis(200);

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    main: Case,
    /// Measure the main case alone, in short steps
    #[arg(long)]
    quick: bool,
    /// How long a step lasts; 3, or 1 if it has to be quick
    #[arg(long, value_name = "SECONDS")]
    step_seconds: Option<f64>,
    /// Which servers
    #[arg(long, value_enum, value_delimiter = ',', default_value = "leasehold,kea,none")]
    servers: Vec<Name>,
    /// A folder on the disk that bindings are synced to; one for temporary files if not given
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// How to print the figures
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// Ours.
    Leasehold,
    /// Debian's Kea.
    Kea,
    /// A responder without any logic.
    None,
}

/// Measures, and prints the figures.
pub(super) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    ensure!(geteuid().is_root(), "this bench makes network namespaces: it has to be run as root");
    if cfg!(debug_assertions) {
        return again_in_release(root);
    }
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let bench = Bench {
        leasehold: arguments.has(Name::Leasehold).then(|| Program::build(root)).transpose()?,
        kea: arguments.has(Name::Kea),
        raw: arguments.has(Name::None),
        network: Network::make()?,
        processors: Processors::divide()?,
        seconds: arguments.step_seconds.unwrap_or(if arguments.quick { QUICK_SECONDS } else { SECONDS }),
        folder: folder.path().to_owned(),
        progress: ProgressBar::new_spinner(),
    };
    if bench.kea {
        ensure!(starts("kea-dhcp6"), "kea-dhcp6 is missing (Debian: kea-dhcp6-server)");
    }
    bench.progress.enable_steady_tick(PROGRESS_STEP);
    let figures = bench.measure(arguments.main, arguments.quick)?;
    bench.progress.finish_and_clear();
    arguments.format.print(&figures)
}

impl Arguments {
    fn has(&self, name: Name) -> bool {
        self.servers.contains(&name)
    }
}

struct Bench {
    leasehold: Option<Program>,
    kea: bool,
    raw: bool,
    network: Network,
    processors: Processors,
    seconds: f64,
    folder: PathBuf,
    progress: ProgressBar,
}

impl Bench {
    fn measure(&self, main: Case, quick: bool) -> Result<Figures> {
        let surroundings = Surroundings { load_before: load()?, sync_ms: sync_ms(&self.folder)? };
        let compared = self.compare(main)?;
        let figures = Figures::new(compared, &self.processors, surroundings, self.seconds);
        if quick {
            return Ok(figures);
        }
        let others = Case::all().filter(|case| *case != main);
        let cases = others.map(|case| self.compare(case)).collect::<Result<_>>()?;
        let growth = self.leasehold.as_ref().map(|program| self.grow(program, main)).transpose()?;
        Ok(figures.with_everything(cases, growth, self.second_opinion(main)?))
    }

    fn compare(&self, case: Case) -> Result<Comparison> {
        let leasehold = self.leasehold.as_ref().map(Contender::Leasehold);
        let kea = self.kea.then_some(Contender::Kea);
        let raw = self.raw.then_some(Contender::Responder);
        let measured =
            |server: Option<Contender<'_>>| server.map(|server| self.search(server, case)).transpose();
        Ok(Comparison::new(case, measured(leasehold)?, measured(kea)?, measured(raw)?))
    }

    /// Measures a server that knows nobody yet.
    fn search(&self, contender: Contender<'_>, case: Case) -> Result<Measured> {
        let state = tempfile::tempdir_in(&self.folder)?;
        let (server, mut generator) = self.start(contender, case, state.path())?;
        self.search_running(&format!("{case}, {contender}"), &server, &mut generator)
            .with_context(|| format!("{case}, {contender}; {}", server.last_words()))
    }

    /// Starts a server and waits until it answers.
    fn start(&self, contender: Contender<'_>, case: Case, state: &Path) -> Result<(Running, Generator)> {
        let mut server = contender.start(&self.network, &self.processors, case, state)?;
        let generator = Generator::meet(case, &self.network, &self.processors, &mut server)
            .with_context(|| format!("{case}, {contender}"))?;
        Ok((server, generator))
    }

    fn search_running(&self, title: &str, server: &Running, generator: &mut Generator) -> Result<Measured> {
        let mut step = |rate: f64| {
            self.progress.set_message(format!("{title}: {rate:.0} a second"));
            generator.step(rate, self.seconds, server)
        };
        let found = highest_rate(|rate| {
            let step = step(rate)?;
            let sustained = step.is_sustained();
            Ok((step, sustained))
        })?;
        let calm = step(found.rate * CALM)?;
        Ok(Measured::new(&found, &calm))
    }

    fn second_opinion(&self, case: Case) -> Result<Perfdhcp> {
        let ask = |contender: Contender<'_>| {
            let state = tempfile::tempdir_in(&self.folder)?;
            let (_server, generator) = self.start(contender, case, state.path())?;
            // Its addresses and ports are perfdhcp's now.
            drop(generator);
            self.progress.set_message(format!("{case}, {contender}: perfdhcp"));
            perfdhcp::ask(case, &self.network, &self.processors, self.seconds)
        };
        Ok(Perfdhcp {
            leasehold: self
                .leasehold
                .as_ref()
                .map(|program| ask(Contender::Leasehold(program)))
                .transpose()?,
            kea: self.kea.then(|| ask(Contender::Kea)).transpose()?,
        })
    }
}

/// How long it takes to make a page durable, in the middle of [`SYNCS`].
fn sync_ms(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("synced"))?;
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[0; SYNCED_OCTETS])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times[SYNCS / 2].as_secs_f64() * 1e3)
}
