//! `leasehold import`: fills a state folder with what somebody else knows.
//!
//! ```text
//! Kea's files --kea------> links and clients --intake----> STATE/store
//! a number ----synthetic->                   \-settings--> STATE/leasehold.toml
//! ```
//!
//! The invariant: nothing that was in the state is lost to an import, unless the import knows
//! something newer of the same client. What cannot be held beside it is counted and reported.

mod intake;
pub mod kea;
mod moment;
mod report;
mod settings;
mod synthetic;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) use intake::Intake;
pub(crate) use moment::rfc_3339;
pub(crate) use report::{grouped, plain_table};

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Source {
    /// Take over the links and leases of Kea: its configuration and its lease file
    Kea(kea::Arguments),
    /// Make up clients, for load tests
    Synthetic(synthetic::Arguments),
}

/// How to print what came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person.
    Table,
    /// One JSON object.
    Json,
}

/// Runs the command. Exits with 2 if something could not be taken over, of leases or of settings; an error, after which the
/// exit code is 1, means that nothing was.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (report, format) = match arguments.source {
        Source::Kea(arguments) => kea::run(&arguments)?,
        Source::Synthetic(arguments) => synthetic::run(&arguments)?,
    };
    let mut out = io::stdout().lock();
    report.print(format, &mut out)?;
    out.flush()?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// A bar on the terminal, if there is one. `unit` is indicatif's template for the numbers.
pub(crate) fn progress_bar(what: &'static str, total: u64, unit: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = format!("{{msg}} {{bar:32}} {unit}, {{elapsed}}");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_message(what)
}
