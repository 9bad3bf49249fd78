//! `leasehold query`: asks DHCPv6 servers, ours or anybody's, for their bindings.
//!
//! Servers are asked side by side, a thread each (`session`), and what they say is merged
//! ([`requestor::Merged`]) and printed (`output`). Data that arrived before something went wrong
//! are printed too; the exit code tells that they are not all.

mod output;
mod session;
pub mod words;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use requestor::{Asker, Merged, Outcome, SourceId, limits};
use wire::{Duid, OptionCode};

use output::{Answers, Format};
use session::{Clock, Plan, Progress, Report, Status};

pub use session::Server;

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Servers, then what to ask them: relay-id DUID, link ADDRESS, remote-id ENTERPRISE:HEX,
    /// client DUID, or address ADDRESS
    ///
    /// A server is HOST, HOST:PORT, ADDRESS, [ADDRESS]:PORT or ADDRESS%INTERFACE. With --udp and no
    /// server, all servers of the site are asked (ff05::1:3).
    #[arg(required = true, value_name = "SERVER... QUESTION")]
    words: Vec<String>,
    /// Limit the search to the link that holds this address
    #[arg(long, value_name = "ADDRESS")]
    link: Option<std::net::Ipv6Addr>,
    /// Options to ask for, by name or number; LQ_RELAY_DATA if none is given
    #[arg(long = "option", value_name = "NAME", num_args = 1..)]
    options: Vec<OptionCode>,
    /// Ask over UDP instead of TCP (only for client and address)
    #[arg(long)]
    udp: bool,
    /// How to print [default: table on a terminal, json otherwise]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Seconds a TCP connection may be silent; below 30, also seconds to wait for it
    #[arg(long, value_name = "SECS", default_value_t = limits::DATA_TIMEOUT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// How often to ask a server again over TCP, at growing intervals, if it fails
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,
    /// Our own DUID [default: one made for this run]
    #[arg(long, value_name = "DUID")]
    client_id: Option<Duid>,
    /// Have only the server with this DUID answer
    #[arg(long, value_name = "DUID")]
    server_id: Option<Duid>,
}

/// How it went, all servers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// Every server has told all it has.
    Complete,
    /// Some answers are missing or have broken off.
    Partial,
    /// Nobody answered, and somebody refused to.
    Refused,
    /// Nobody could be reached.
    Unreachable,
}

impl From<Completion> for ExitCode {
    fn from(completion: Completion) -> Self {
        Self::from(match completion {
            Completion::Complete => 0,
            Completion::Partial => 2,
            Completion::Refused => 3,
            Completion::Unreachable => 4,
        })
    }
}

/// Runs the command. An error is one of usage and has the exit code 1.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let completion = answer(arguments, &mut out, &mut io::stderr())?;
    out.flush()?;
    Ok(completion.into())
}

/// Asks, prints to `out` what came, and to `err` what was wrong with it.
pub fn answer(arguments: Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<Completion> {
    let format = arguments.format.unwrap_or_else(Format::for_stdout);
    let (servers, plan) = plan(arguments, format)?;
    let progress = Progress::new(io::stderr().is_terminal());
    let mut reports = ask_all(&servers, &plan, &progress);
    progress.finish();
    let merged = merge(&mut reports);
    let completion = judge(&reports);
    complain(&reports, err).context("cannot write to stderr")?;
    let answers = Answers {
        complete: completion == Completion::Complete,
        reports: &reports,
        merged: &merged,
        now: plan.clock.now(),
    };
    output::print(format, &answers, out)?;
    Ok(completion)
}

fn plan(arguments: Arguments, format: Format) -> Result<(Vec<session::Server>, Plan)> {
    let Arguments { words, link, options, udp, format: _, timeout, retries, client_id, server_id } =
        arguments;
    let (servers, mut question) = words::parse(&words, udp)?;
    if let Some(link) = link {
        question = question.on_link(link).context("--link")?;
    }
    let options = if options.is_empty() { vec![OptionCode::LQ_RELAY_DATA] } else { options };
    let question = question.requesting(&options);
    if udp && question.query_type().is_bulk_only() {
        bail!("--udp is for questions by client and by address; ask by {} over TCP", question.query_type());
    }
    let mut chance = session::chance();
    let client_id = client_id.unwrap_or_else(|| session::own_duid(&mut chance));
    let data_timeout = Duration::from_secs(timeout);
    let plan = Plan {
        question,
        asker: Asker { client_id, server_id },
        udp,
        data_timeout,
        connect_timeout: data_timeout.min(limits::CONNECT_TIMEOUT),
        retries,
        keeps_clients: format != Format::Summary,
        clock: Clock::start(),
    };
    Ok((servers, plan))
}

fn ask_all(servers: &[session::Server], plan: &Plan, progress: &Progress) -> Vec<Report> {
    std::thread::scope(|scope| {
        let ask = |server| scope.spawn(move || session::ask(server, plan, progress));
        let threads: Vec<_> = servers.iter().map(ask).collect();
        threads.into_iter().map(|thread| thread.join().expect("a session does not panic")).collect()
    })
}

fn merge(reports: &mut [Report]) -> Merged {
    let mut merged = Merged::default();
    for (index, report) in reports.iter_mut().enumerate() {
        for record in report.clients.drain(..) {
            merged.add(SourceId(index), record);
        }
    }
    for SourceId(index) in merged.split_sources() {
        reports[index].warnings.add(requestor::Warning::SplitClient);
    }
    merged
}

fn judge(reports: &[Report]) -> Completion {
    let any = |what: fn(&Status) -> bool| reports.iter().any(|report| what(&report.status));
    let complete = |status: &Status| matches!(status, Status::Answered(outcome) if outcome.is_complete());
    if reports.iter().all(|report| complete(&report.status)) {
        Completion::Complete
    } else if any(
        |status| matches!(status, Status::Answered(outcome) if !matches!(outcome, Outcome::Refused(_))),
    ) {
        Completion::Partial
    } else if any(|status| matches!(status, Status::Answered(_))) {
        Completion::Refused
    } else {
        Completion::Unreachable
    }
}

fn complain(reports: &[Report], err: &mut dyn Write) -> io::Result<()> {
    for Report { address, status, warnings, .. } in reports {
        if !matches!(status, Status::Answered(outcome) if outcome.is_complete()) {
            writeln!(err, "{address}: {}", status.explanation())?;
        }
        for (warning, count) in warnings.iter().filter(|(warning, _)| !warning.is_harmless()) {
            let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
            writeln!(err, "{address}: {warning} ({times})")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        query: Arguments,
    }

    fn planned(more: &[&str]) -> Plan {
        let words = [&["query", "::1", "link", "2001:db8::1"][..], more].concat();
        plan(Cli::parse_from(words).query, Format::Json).unwrap().1
    }

    // BLQ-R-03, BLQ-F-14, BLQ-F-16
    #[test]
    fn the_patience_is_the_standards_unless_told_otherwise() {
        let secs = |plan: Plan| (plan.connect_timeout.as_secs(), plan.data_timeout.as_secs());
        assert_eq!(secs(planned(&[])), (30, 300));
        assert_eq!(secs(planned(&["--timeout", "400"])), (30, 400));
        assert_eq!(secs(planned(&["--timeout", "5"])), (5, 5));
    }
}
