//! Bulk leasequery at its worst: one relay asks for every client that the server has.
//!
//! ```text
//! import synthetic -> state -> leasehold serve <== TCP on [::1] == leasehold query --format summary
//! ```
//!
//! Everything is measured [`ROUNDS`] times in one run, each time with a server that has just started, and the median counts.
//! A round asks on one connection and then on many at once; before that, a requestor that never reads. The same octets
//! through a bare connection are the physical limit, and a server with [`FEW_CLIENTS`] shows what size alone costs.

use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::process::{Program, Server};
use super::{Format, SYNTHETIC_RELAY, raw, synthetic_relay};

/// How often each figure is measured.
const ROUNDS: usize = 3;
/// With how many clients the growth begins.
const FEW_CLIENTS: u64 = 10_000;
/// How often those few are asked for: an answer takes milliseconds, and so a single one says little.
const FEW_ROUNDS: usize = 15;
/// How long a server is watched that cannot get rid of its answer.
const STALL: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const STALL_STEP: Duration = Duration::from_millis(20);
/// More than a refusal, less than what the kernel takes off the server's hands.
const ANSWER_OCTETS: usize = 64 * 1024;

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many clients the server has, each with an address and a delegated prefix
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    clients: u64,
    /// How many requestors ask for all of them at once
    #[arg(long, value_name = "N", default_value_t = 10)]
    connections: usize,
    /// How to print the figures
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What was measured. "One" is one connection.
#[derive(Serialize)]
struct Figures {
    clients: u64,
    bindings_per_second: f64,
    octets_per_second: f64,
    raw_octets_per_second: f64,
    ratio_to_raw: f64,
    first_reply_ms: f64,
    memory_per_client: f64,
    startup_seconds: f64,
    stalled_connection_octets: u64,
    growth: f64,
    ten_connections_bindings_per_second: f64,
    cpu_microseconds_per_binding: f64,
}

/// Measures, and prints the figures.
pub(super) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    let program = Program::build(root)?;
    let folder = tempfile::tempdir()?;
    let bench = Bench { program, connections: arguments.connections, folder: folder.path().to_owned() };
    let figures = bench.measure(arguments.clients)?;
    arguments.format.print(&figures)
}

struct Bench {
    program: Program,
    connections: usize,
    folder: PathBuf,
}

/// One round with a fresh server.
struct Round {
    startup_seconds: f64,
    resident_octets: u64,
    stalled_octets: u64,
    one: Timed,
    many_bindings_per_second: f64,
    raw_octets_per_second: f64,
}

/// An answer on one connection.
struct Timed {
    bindings: u64,
    octets: u64,
    seconds: f64,
    first_reply_ms: f64,
    server_cpu_seconds: f64,
}

impl Timed {
    fn seconds_per_binding(&self) -> f64 {
        self.seconds / self.bindings as f64
    }
}

impl Bench {
    fn measure(&self, clients: u64) -> Result<Figures> {
        let empty = self.program.serve(&self.config("empty", None)?)?.resident_octets()?;
        let few = self.seconds_per_binding_of_few()?;
        eprintln!("making {clients} clients");
        let config = self.config("many", Some(clients))?;
        let mut rounds = Vec::new();
        for number in 1..=ROUNDS {
            eprintln!("round {number} of {ROUNDS}");
            rounds.push(self.round(&config)?);
        }
        let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
        let octets_per_second = of(|round| round.one.octets as f64 / round.one.seconds);
        let raw_octets_per_second = of(|round| round.raw_octets_per_second);
        let resident = of(|round| round.resident_octets as f64);
        Ok(Figures {
            clients,
            bindings_per_second: of(|round| 1.0 / round.one.seconds_per_binding()),
            octets_per_second,
            raw_octets_per_second,
            ratio_to_raw: octets_per_second / raw_octets_per_second,
            first_reply_ms: of(|round| round.one.first_reply_ms),
            memory_per_client: (resident - empty as f64) / clients as f64,
            startup_seconds: of(|round| round.startup_seconds),
            stalled_connection_octets: of(|round| round.stalled_octets as f64) as u64,
            growth: of(|round| round.one.seconds_per_binding()) / few - 1.0,
            ten_connections_bindings_per_second: of(|round| round.many_bindings_per_second),
            cpu_microseconds_per_binding: of(|round| {
                round.one.server_cpu_seconds * 1e6 / round.one.bindings as f64
            }),
        })
    }

    fn round(&self, config: &Path) -> Result<Round> {
        let server = self.program.serve(config)?;
        let resident_octets = server.resident_octets()?;
        let stalled_octets = stall(&server)?;
        let one = self.ask(&server)?;
        Ok(Round {
            startup_seconds: server.startup_seconds,
            resident_octets,
            stalled_octets,
            many_bindings_per_second: self.ask_at_once(&server)?,
            raw_octets_per_second: raw::octets_per_second(one.octets)?,
            one,
        })
    }

    fn seconds_per_binding_of_few(&self) -> Result<f64> {
        let server = self.program.serve(&self.config("few", Some(FEW_CLIENTS))?)?;
        let times = (0..FEW_ROUNDS).map(|_| Ok(self.ask(&server)?.seconds_per_binding()));
        Ok(median(times.collect::<Result<_>>()?))
    }

    fn ask(&self, server: &Server) -> Result<Timed> {
        let computed = server.cpu_seconds()?;
        let summary = self.program.query(server.address, &synthetic_relay())?.finish()?;
        Ok(Timed {
            bindings: summary.bindings,
            octets: summary.octets,
            seconds: summary.seconds,
            first_reply_ms: summary.first_reply_ms,
            server_cpu_seconds: server.cpu_seconds()? - computed,
        })
    }

    /// Bindings a second, all connections together, from the start of the first requestor to the end of the last.
    fn ask_at_once(&self, server: &Server) -> Result<f64> {
        let begun = Instant::now();
        let requestors =
            (0..self.connections).map(|_| self.program.query(server.address, &synthetic_relay()));
        let mut bindings = 0;
        for requestor in requestors.collect::<Result<Vec<_>>>()? {
            bindings += requestor.finish()?.bindings;
        }
        Ok(bindings as f64 / begun.elapsed().as_secs_f64())
    }

    /// Writes a state with so many clients and a configuration that lets this host ask them all at once.
    fn config(&self, name: &str, clients: Option<u64>) -> Result<PathBuf> {
        let state = self.folder.join(name);
        let file = state.join("leasehold.toml");
        let imported = if let Some(clients) = clients {
            self.program.populate(clients, &state)?;
            fs::read_to_string(&file)?
        } else {
            fs::create_dir(&state)?;
            format!(
                "state = {:?}\n[leasequery]\nallow = [{{ from = \"::1\" }}]\n",
                state.display().to_string()
            )
        };
        let more = format!(
            "\n[dhcp]\nlisten = []\n\n[leasequery.udp]\nlisten = []\n\n[leasequery.bulk]\nlisten = [\"{at}\"]\n\
             max-connections = {most}\nmax-queries-per-requestor = {most}\n",
            at = free_address()?,
            most = self.connections + 1
        );
        fs::write(&file, imported + &more)?;
        Ok(file)
    }
}

/// A port that nobody listens on: a configuration has to name one.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?.local_addr()?)
}

/// By how many octets the server grows for a requestor that asks for everything and reads nothing.
fn stall(server: &Server) -> Result<u64> {
    let before = server.resident_octets()?;
    let mut stalled = TcpStream::connect(server.address).context("the server does not accept")?;
    stalled.write_all(&leasequery())?;
    let begun = Instant::now();
    let mut most = before;
    while begun.elapsed() < STALL {
        most = most.max(server.resident_octets()?);
        thread::sleep(STALL_STEP);
    }
    // Only now, to prove that there was an answer and no refusal.
    stalled
        .read_exact(&mut [0; ANSWER_OCTETS])
        .context("the answer is too short to stall: ask for more clients")?;
    Ok(most - before)
}

/// A framed LEASEQUERY by Relay-ID (RFC 5460 §5.1, §5.4), octet by octet.
fn leasequery() -> Vec<u8> {
    let mut query = vec![3];
    query.extend([0; 16]);
    query.extend(option(53, &SYNTHETIC_RELAY));
    let mut message = vec![14, 0, 0, 1];
    message.extend(option(1, &[0, 3, 0, 1, 0x02, 0, 0, 0, 0, 0xbb]));
    message.extend(option(44, &query));
    let length = message.len() as u16;
    [&length.to_be_bytes(), &message[..]].concat()
}

fn option(code: u16, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    [&code.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

/// The one in the middle.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header(["figure", "measured", "bar", ""]);
        table.add_rows(self.rows());
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{} clients; medians of {ROUNDS}\n\n{table}", self.clients)
    }
}

impl Figures {
    /// Figure, value, bar, and whether it is met.
    fn rows(&self) -> Vec<[String; 4]> {
        let mebibytes = |octets: f64| format!("{:.2} MiB", octets / 1_048_576.0);
        let row = |name: &str, value: String, bar: &str, met: Option<bool>| {
            let verdict = met.map_or("", |met| if met { "met" } else { "MISSED" });
            [name.to_owned(), value, bar.to_owned(), verdict.to_owned()]
        };
        let stalled = self.stalled_connection_octets;
        vec![
            row(
                "bindings a second, one connection",
                format!("{:.0}", self.bindings_per_second),
                ">= 1000000",
                Some(self.bindings_per_second >= 1e6),
            ),
            row("octets a second", mebibytes(self.octets_per_second), "", None),
            row("octets a second, bare connection", mebibytes(self.raw_octets_per_second), "", None),
            row(
                "ratio to bare connection",
                format!("{:.3}", self.ratio_to_raw),
                ">= 0.10, aim 0.33",
                Some(self.ratio_to_raw >= 0.1),
            ),
            row(
                &format!("growth of time per binding from {FEW_CLIENTS} clients"),
                format!("{:.3}", self.growth),
                "< 0.25",
                Some(self.growth < 0.25),
            ),
            row(
                "first reply",
                format!("{:.2} ms", self.first_reply_ms),
                "< 5 ms",
                Some(self.first_reply_ms < 5.0),
            ),
            row(
                "growth for a stalled connection",
                mebibytes(stalled as f64),
                "< 1 MiB",
                Some(stalled < 1_048_576),
            ),
            row(
                "start-up",
                format!("{:.2} s", self.startup_seconds),
                "< 4 s",
                Some(self.startup_seconds < 4.0),
            ),
            row(
                "memory per client",
                format!("{:.0} octets", self.memory_per_client),
                "<= 600 octets",
                Some(self.memory_per_client <= 600.0),
            ),
            row(
                "bindings a second, many connections",
                format!("{:.0}", self.ten_connections_bindings_per_second),
                "",
                None,
            ),
            row(
                "server's processor time per binding",
                format!("{:.3} us", self.cpu_microseconds_per_binding),
                "",
                None,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn a_leasequery_is_as_long_as_its_frame_says() {
        let octets = leasequery();
        assert_eq!(usize::from(u16::from_be_bytes([octets[0], octets[1]])), octets.len() - 2);
    }
}
