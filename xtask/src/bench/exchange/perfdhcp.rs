//! Kea's own generator, perfdhcp, as a second opinion: the same search, and none of our code between it and the server.

use std::io::ErrorKind;
use std::process::{Command, Output, Stdio};

use anyhow::{Result, anyhow, bail};
use serde::Serialize;

use super::case::{Case, Way, Wish};
use super::network::{CLIENT_INTERFACE, Network, SERVER, relay_address};
use super::step::{Limit, few_dropped};
use crate::bench::processors::{Processors, pin};
use crate::bench::search::{Found, highest_rate};

/// More clients than a step has exchanges, so that nobody comes twice.
const CLIENTS: u32 = 16_000_000;
/// How long it waits for the last answers, in microseconds.
const LAST_ANSWERS_MICROSECONDS: &str = "1000000";
/// It has kept its pace if it has begun this share of the exchanges.
const MIN_BEGUN: f64 = 0.98;

/// What it has found.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Opinion {
    pub(super) exchanges_per_second: f64,
    pub(super) limit: Option<Limit>,
}

struct Counts {
    rate: f64,
    seconds: f64,
    begun: u64,
    completed: u64,
}

impl Counts {
    fn late(&self) -> bool {
        (self.begun as f64) < MIN_BEGUN * self.rate * self.seconds
    }

    fn sustained(&self) -> bool {
        !self.late() && few_dropped(self.begun, self.completed)
    }
}

/// Searches the highest rate of a server that is already at work.
pub(super) fn ask(case: Case, network: &Network, processors: &Processors, seconds: f64) -> Result<Opinion> {
    let Found { best, failed, .. } = highest_rate(|rate| {
        let counts = step(case, network, processors, rate, seconds)?;
        let sustained = counts.sustained();
        Ok((counts, sustained))
    })?;
    let limit = |failed: Counts| if failed.late() { Limit::Generator } else { Limit::Server };
    let exchanges_per_second = best.completed as f64 / best.seconds;
    Ok(Opinion { exchanges_per_second, limit: failed.map(limit) })
}

fn step(case: Case, network: &Network, processors: &Processors, rate: f64, seconds: f64) -> Result<Counts> {
    let mut command = Command::new("perfdhcp");
    // It takes whole seconds alone.
    let seconds = seconds.ceil();
    command.args(["-6", "-r", &format!("{rate:.0}"), "-p", &format!("{seconds:.0}")]);
    command.args(["-R", &CLIENTS.to_string(), "-W", LAST_ANSWERS_MICROSECONDS]);
    command.args([
        "-e",
        match case.wish {
            Wish::Address => "address-only",
            Wish::Prefix => "prefix-only",
            Wish::Both => "address-and-prefix",
        },
    ]);
    match case.way {
        Way::Direct => command.args(["-l", CLIENT_INTERFACE]),
        Way::Relayed => command.args(["-A", "1", "-l", &relay_address(0).to_string(), &SERVER.to_string()]),
    };
    command.stdin(Stdio::null());
    let output = network.client.within(|| {
        pin(&processors.generator)?;
        command.output().map_err(|error| match error.kind() {
            ErrorKind::NotFound => anyhow!("perfdhcp is missing (Debian: kea-admin)"),
            _ => error.into(),
        })
    })?;
    let (begun, completed) = read(&output)?;
    Ok(Counts { rate, seconds, begun, completed })
}

/// Solicits sent, and Replies received.
fn read(output: &Output) -> Result<(u64, u64)> {
    let text = String::from_utf8_lossy(&output.stdout);
    let counts = |name: &str| -> Result<Vec<u64>> {
        let values = text.lines().filter_map(|line| line.strip_prefix(name));
        Ok(values.map(|value| value.trim().parse()).collect::<Result<_, _>>()?)
    };
    let (sent, received) = (counts("sent packets:")?, counts("received packets:")?);
    match (sent.first(), received.get(1)) {
        (Some(begun), Some(completed)) => Ok((*begun, *completed)),
        _ => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            bail!(
                "perfdhcp ended with {}: {}",
                output.status,
                complaint.trim().lines().last().unwrap_or_default()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn the_report_says_what_was_begun_and_completed() {
        let stdout = b"***Statistics for: SOLICIT-ADVERTISE***\nsent packets: 47999\nreceived packets: 46151\n\
            drops: 1848\n\n***Statistics for: REQUEST-REPLY***\nsent packets: 46151\nreceived packets: 46119\n";
        let output = |stdout: &[u8]| Output {
            status: ExitStatus::from_raw(3 << 8),
            stdout: stdout.to_vec(),
            stderr: Vec::new(),
        };
        assert_eq!(read(&output(stdout)).unwrap(), (47999, 46119));
        assert!(read(&output(b"ERROR: parsing command line options")).is_err());
    }
}
