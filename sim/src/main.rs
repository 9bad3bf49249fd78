//! `sim`: runs seeds, and shows what they found.

use std::io::IsTerminal;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use sim::campaign::{Campaign, Case, Finding, Report, attempt, shrink};
use sim::plan::Cut;
use sim::run::run;
use sim::transcript::play_telling;

/// Seeds that are run if nobody says how many.
const SEEDS: u64 = 1_000;
/// Something does not hold.
const FAILED: u8 = 1;
/// Everything holds, but not everything was met.
const INCOMPLETE: u8 = 3;

/// Runs worlds of servers, relays, requestors and clients, each from a seed, while everything around them fails.
///
/// The exit code is 1 if something did not hold, and 3 if a fault was never met or a property never had anything
/// to judge.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// How many seeds to run
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// The first seed; alone, the only one
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Run as many seeds as there is time for, from a first one that nobody has chosen
    #[arg(long, value_name = "M", conflicts_with = "seeds")]
    minutes: Option<f64>,
    /// Print everything that happens in the seed
    #[arg(long, requires = "seed", conflicts_with_all = ["seeds", "minutes"])]
    trace: bool,
    /// Make plans smaller: servers=N, relays=N, clients=N, requestors=N, secs=N, no=FAULT or
    /// only=FAULT,...
    #[arg(long, value_name = "WHAT=HOW")]
    cut: Vec<Cut>,
    /// How many seeds to run at once; as many as there are processors, if not said
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Go on after a failure
    #[arg(long)]
    keep_going: bool,
    /// Do not look for what a failure needs
    #[arg(long)]
    no_shrink: bool,
    /// Leave out the seeds that once failed
    #[arg(long)]
    fresh: bool,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play transcripts, and print each step
    Play {
        /// As sim/transcripts/README.md tells
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Play { files }) = &arguments.command {
        return play(files);
    }
    if arguments.trace {
        return trace(&arguments);
    }
    let mut report = campaign(&arguments);
    if !arguments.keep_going && !arguments.no_shrink {
        report.findings = report.findings.into_iter().take(1).map(shrunk).collect();
    }
    match arguments.format {
        Format::Text => print!("{report}"),
        Format::Json => println!("{:#}", report.json()),
    }
    exit_code(&report)
}

fn play(files: &[PathBuf]) -> ExitCode {
    let mut failed = false;
    for file in files {
        println!("{}", file.display());
        match play_telling(file, &mut |step| println!("{step}")) {
            Ok(report) => println!("{} steps in {:?}: {}\n", report.steps, report.took, report.title),
            Err(failure) => {
                println!("{failure}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
}

fn exit_code(report: &Report) -> ExitCode {
    if !report.findings.is_empty() {
        ExitCode::from(FAILED)
    } else if !report.tally.missing().is_empty() {
        ExitCode::from(INCOMPLETE)
    } else {
        ExitCode::SUCCESS
    }
}

fn campaign(arguments: &Arguments) -> Report {
    let time = arguments.minutes.map(|minutes| Duration::from_secs_f64(minutes.max(0.0) * 60.0));
    let first = arguments.seed.unwrap_or_else(|| if time.is_some() { seed_of_today() } else { 1 });
    let seeds = arguments.seeds.unwrap_or(if arguments.seed.is_some() { 1 } else { SEEDS });
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let campaign = Campaign {
        first,
        seeds,
        time,
        jobs: arguments.jobs.map_or(processors, NonZero::get),
        cuts: arguments.cut.clone(),
        goes_on: arguments.keep_going,
        is_fresh: arguments.fresh,
    };
    let bar = bar(time.is_none().then_some(seeds), &format!("seeds from {first}"));
    let report = campaign.run(|seeds| bar.set_position(seeds));
    bar.finish_and_clear();
    report
}

/// A first seed that differs from run to run. It is printed with whatever it finds.
fn seed_of_today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64) << 20
}

fn shrunk(finding: Finding) -> Finding {
    eprintln!("{finding}");
    let bar = bar(None, "shrinking, runs");
    let smaller = shrink(finding, |runs| bar.set_position(runs as u64));
    bar.finish_and_clear();
    smaller
}

fn trace(arguments: &Arguments) -> ExitCode {
    let seed = arguments.seed.expect("--trace requires it");
    let case = Case { seed, cuts: arguments.cut.clone() };
    let mut line = |text: &str| println!("{text}");
    match attempt(&case, |plan| run(plan, Some(&mut line))) {
        Ok(outcome) => match outcome.violation {
            None => {
                println!("everything holds; {} steps, {:016x}", outcome.steps, outcome.digest);
                ExitCode::SUCCESS
            }
            Some((_, violation)) => {
                println!("{violation}");
                ExitCode::from(FAILED)
            }
        },
        Err(finding) => {
            println!("{finding}");
            ExitCode::from(FAILED)
        }
    }
}

/// Progress, where somebody looks at it.
fn bar(length: Option<u64>, what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "{msg} {wide_bar} {pos}/{len}, {per_sec}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg} {pos}, {per_sec}"),
    };
    let style = ProgressStyle::with_template(template).expect("a template that is known");
    bar.with_style(style).with_message(what.to_owned())
}
