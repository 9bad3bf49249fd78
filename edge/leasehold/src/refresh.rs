//! `leasehold refresh`: has a running relay ask all its servers again, now.

use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::control::{self, Answers, Failure, PARTIAL, Place, RelayState, RelayStatus, Request};
use crate::show::{self, Format};

/// How often the line of progress moves while nothing comes: it shows that it is alive.
const MOVING: Duration = Duration::from_millis(250);

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = show::EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Wait until every server has told all it knows, or one cannot: that is exit code 2
    #[arg(long)]
    wait: bool,
    /// How to print [default: table on a terminal, json otherwise]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs the command: prints how the relay is when it has begun, or in the end if that is waited for.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { place, wait, format } = arguments;
    let asked = control::ask(&place.socket()?, &Request::Refresh { wait });
    let (status, ended) = asked.map_or_else(|failure| (None, Err(failure)), follow);
    if let Some(status) = &status {
        show::print_status(status, format)?;
    }
    if let Err(failure) = ended {
        eprintln!("leasehold: {failure}");
        return Ok(failure.into());
    }
    let is_done = status.is_some_and(|status| status.state == RelayState::InSync);
    Ok(if wait && !is_done { PARTIAL.into() } else { ExitCode::SUCCESS })
}

/// Shows how it goes on, on a terminal; gives what was said last, and how it ended.
fn follow(mut answers: Answers<RelayStatus>) -> (Option<RelayStatus>, Result<(), Failure>) {
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(MOVING);
    let status = answers.by_ref().inspect(|status| progress.set_message(message(status))).last();
    progress.finish_and_clear();
    (status, answers.end())
}

fn message(status: &RelayStatus) -> String {
    format!("{}: {}", status.state, status.recovery)
}
