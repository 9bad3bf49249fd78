//! Forwarded messages: how many a second, of our relay and of Debian's, in one run.
//!
//! ```text
//! clients == veth == leasehold | isc-dhcp-relay | dibbler-relay | a forwarder without any work == veth == server
//! ```
//!
//! Clients and server are threads of this process that write and count messages and do nothing else. In every direction the
//! relays are measured one after the other: a [`search`](super::search) for the highest rate that is sustained.

mod contenders;
mod envelope;
mod figures;
mod flow;
pub(super) mod forwarder;
mod site;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;
use nix::unistd::geteuid;

use super::Format;
use super::process::Program;
use super::processors::Processors;
use super::search::highest_rate;
use super::surroundings::{again_in_release, load, starts};
use contenders::Contender;
use figures::{Comparison, Figures, Measured};
use flow::{Direction, Flow};
use site::Site;

/// How often the line that shows the progress is drawn.
const PROGRESS_STEP: Duration = Duration::from_millis(200);

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long a step lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    step_seconds: f64,
    /// Which relays
    #[arg(long, value_enum, value_delimiter = ',', default_value = "leasehold,isc,dibbler,none")]
    relays: Vec<Name>,
    /// How to print the figures
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// Ours.
    Leasehold,
    /// Debian's isc-dhcp-relay.
    Isc,
    /// Debian's dibbler-relay.
    Dibbler,
    /// A forwarder without any work.
    None,
}

/// Measures, and prints the figures.
pub(super) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    ensure!(geteuid().is_root(), "this bench makes network namespaces: it has to be run as root");
    if cfg!(debug_assertions) {
        return again_in_release(root);
    }
    let has = |name| arguments.relays.contains(&name);
    for (name, program, package) in
        [(Name::Isc, "dhcrelay", "isc-dhcp-relay"), (Name::Dibbler, "dibbler-relay", "dibbler-relay")]
    {
        ensure!(!has(name) || starts(program), "{program} is missing (Debian: {package})");
    }
    let program = has(Name::Leasehold).then(|| Program::build(root)).transpose()?;
    let contenders = [
        program.as_ref().map(Contender::Leasehold),
        has(Name::Isc).then_some(Contender::Isc),
        has(Name::Dibbler).then_some(Contender::Dibbler),
        has(Name::None).then_some(Contender::Forwarder),
    ];
    let bench = Bench {
        site: Site::make()?,
        processors: Processors::divide()?,
        seconds: arguments.step_seconds,
        progress: ProgressBar::new_spinner(),
    };
    bench.progress.enable_steady_tick(PROGRESS_STEP);
    let figures = bench.measure(&contenders)?;
    bench.progress.finish_and_clear();
    arguments.format.print(&figures)
}

struct Bench {
    site: Site,
    processors: Processors,
    seconds: f64,
    progress: ProgressBar,
}

impl Bench {
    fn measure(&self, contenders: &[Option<Contender<'_>>; 4]) -> Result<Figures> {
        let load_before = load()?;
        let directions = Direction::ALL.map(|direction| self.compare(contenders, direction));
        let directions = directions.into_iter().collect::<Result<_>>()?;
        Ok(Figures::new(directions, self.seconds, &self.processors, load_before))
    }

    fn compare(&self, contenders: &[Option<Contender<'_>>; 4], direction: Direction) -> Result<Comparison> {
        let mut measured = [const { None }; 4];
        for (measured, contender) in measured.iter_mut().zip(contenders) {
            *measured = contender.map(|contender| self.search(contender, direction)).transpose()?;
        }
        Ok(Comparison::new(direction, measured))
    }

    /// Measures a relay that has just been started.
    fn search(&self, contender: Contender<'_>, direction: Direction) -> Result<Measured> {
        let folder = tempfile::tempdir()?;
        let mut relay = contender.start(&self.site, &self.processors, folder.path())?;
        let flow = Flow::meet(&self.site, &self.processors, &mut relay)
            .with_context(|| format!("{contender}, {direction:?}"))?;
        let found = highest_rate(|rate| {
            self.progress.set_message(format!("{contender}, {direction:?}: {rate:.0} a second"));
            let step = flow.step(direction, rate, self.seconds, &relay)?;
            let sustained = step.is_sustained();
            Ok((step, sustained))
        });
        let found = found.with_context(|| format!("{contender}, {direction:?}; {}", relay.last_words()))?;
        Ok(Measured::new(direction, &found))
    }
}
