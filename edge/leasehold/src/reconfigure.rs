//! `leasehold reconfigure`: has a running server tell clients to speak up.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::bail;
use indicatif::ProgressBar;

use crate::control::{self, Announcement, Filter, Outcome, Place, Request, Telling, Told};
use crate::show::{self, Format};

/// How often the line of progress moves while nothing comes: it shows that it is alive.
const MOVING: Duration = Duration::from_millis(250);

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = show::EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Whom: the clients that hold such leases
    #[command(flatten)]
    filter: Filter,
    /// All clients
    #[arg(long)]
    all: bool,
    /// What they are to send
    #[arg(long, value_enum, default_value_t = Announcement::Renew)]
    message: Announcement,
    /// Only show who would be told
    #[arg(long)]
    dry_run: bool,
    /// Wait until each has sent it or was told as often as is allowed, which takes up to nine minutes
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
    /// How to print [default: table on a terminal, json otherwise]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs the command: prints each client with what has become of it, and in the end how many there
/// were of each kind.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { place, filter, all, message, dry_run, wait, format } = arguments;
    if filter.is_empty() != all {
        bail!("say whom: --all, or one of --prefix, --address, --client, --relay-id, --remote-id, --link");
    }
    let request = Request::Reconfigure(Telling { filter, message, dry_run, wait });
    let tally = Rc::new(RefCell::new(Tally::default()));
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(MOVING);
    let watch = {
        let (tally, progress) = (Rc::clone(&tally), progress.clone());
        move |told: &Told| {
            tally.borrow_mut().add(told.outcome);
            progress.set_message(tally.borrow().to_string());
        }
    };
    let answers = control::ask(&place.socket()?, &request).map(|answers| answers.watched(watch));
    let exit_code = show::print_told(answers, format);
    progress.finish_and_clear();
    eprintln!("{}", tally.borrow());
    exit_code
}

/// How many clients there are of each kind.
#[derive(Debug, Default)]
struct Tally(BTreeMap<Outcome, u64>);

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        *self.0.entry(outcome).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u64 = self.0.values().sum();
        write!(f, "{all} client{}", if all == 1 { "" } else { "s" })?;
        for (index, (outcome, count)) in self.0.iter().enumerate() {
            write!(f, "{} {count} {outcome}", if index == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_reads_like_a_sentence() {
        let mut tally = Tally::default();
        assert_eq!(tally.to_string(), "0 clients");
        assert_eq!(Tally([(Outcome::Heeded, 1)].into()).to_string(), "1 client: 1 heeded");
        [Outcome::NoKey, Outcome::Told, Outcome::Told].into_iter().for_each(|outcome| tally.add(outcome));
        assert_eq!(tally.to_string(), "3 clients: 2 told, 1 has no key");
    }
}
