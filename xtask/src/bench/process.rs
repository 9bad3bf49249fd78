//! The processes that are measured: `leasehold`, as server and as requestor, in its release build.
//!
//! A [`Server`] lives as long as its value. What it costs is read where the kernel keeps it, in `/proc`.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What the kernel counts a process's time in: USER_HZ, the same on all of Linux's architectures.
const TICKS_PER_SECOND: f64 = 100.0;

/// The program under test.
pub(super) struct Program(PathBuf);

/// What `leasehold query --format summary` prints, as far as it is needed here.
#[derive(Deserialize)]
pub(super) struct Summary {
    pub(super) bindings: u64,
    pub(super) octets: u64,
    pub(super) seconds: f64,
    pub(super) first_reply_ms: f64,
    complete: bool,
}

impl Program {
    /// Builds it.
    pub(super) fn build(root: &Path) -> Result<Self> {
        Ok(Self(built(root, &["--bin", "leasehold"], "leasehold")?))
    }

    /// Makes up so many clients behind one relay, each on an interface of its own, into `state`.
    pub(super) fn populate(&self, clients: u64, state: &Path) -> Result<()> {
        self.populate_behind(&[], clients, state)
    }

    /// Likewise, but on interfaces with these Interface-IDs.
    pub(super) fn populate_behind(&self, interface_ids: &[&str], clients: u64, state: &Path) -> Result<()> {
        let mut command = Command::new(&self.0);
        command.args(["import", "synthetic", "--relays", "1", "--clients", &clients.to_string()]);
        if !interface_ids.is_empty() {
            command.args(["--interface-ids", &interface_ids.join(",")]);
        }
        let status = command.arg("--into").arg(state).stdout(Stdio::null()).status()?;
        ensure!(status.success(), "no state with {clients} clients: {status}");
        Ok(())
    }

    /// The program, to be told what to do.
    pub(super) fn command(&self) -> Command {
        Command::new(&self.0)
    }

    /// Starts a server and waits until it listens.
    pub(super) fn serve(&self, config: &Path) -> Result<Server> {
        let begun = Instant::now();
        let mut process = Command::new(&self.0)
            .args(["serve", "--config"])
            .arg(config)
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .spawn()?;
        let log = process.stderr.take().context("the log is a pipe")?;
        let mut server =
            Server { process, address: SocketAddr::from(([0; 16], 0)), startup_seconds: f64::INFINITY };
        server.address = listening_address(log)?;
        server.startup_seconds = begun.elapsed().as_secs_f64();
        Ok(server)
    }

    /// Starts a requestor that asks for every client behind `relay`.
    pub(super) fn query(&self, server: SocketAddr, relay: &str) -> Result<Requestor> {
        let process = Command::new(&self.0)
            .args(["query", &server.to_string(), "relay-id", relay, "--format", "summary"])
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Requestor(process))
    }
}

/// The address of bulk leasequery in the line that says so. What is logged later is read and thrown away, so that the server never waits for us.
fn listening_address(log: ChildStderr) -> Result<SocketAddr> {
    let mut log = BufReader::new(log);
    let mut told = String::new();
    loop {
        let begin = told.len();
        ensure!(log.read_line(&mut told)? > 0, "the server has ended: {told}");
        let address = told[begin..].trim_end().strip_suffix(" (TCP)");
        if let Some((_, address)) = address.and_then(|line| line.split_once("listening on ")) {
            let address = address.parse()?;
            thread::spawn(move || log.read_to_end(&mut Vec::new()));
            return Ok(address);
        }
    }
}

/// A requestor at work.
pub(super) struct Requestor(Child);

impl Requestor {
    /// Waits until it has everything.
    pub(super) fn finish(self) -> Result<Summary> {
        let output = self.0.wait_with_output()?;
        ensure!(output.status.success(), "a requestor ended with {}", output.status);
        let summary: Summary = serde_json::from_slice(&output.stdout)?;
        ensure!(summary.complete && summary.bindings > 0, "a requestor has not got everything");
        Ok(summary)
    }
}

/// A server at work.
pub(super) struct Server {
    process: Child,
    pub(super) address: SocketAddr,
    /// From the start of the process until it listened.
    pub(super) startup_seconds: f64,
}

impl Server {
    /// Octets of memory that it holds now.
    pub(super) fn resident_octets(&self) -> Result<u64> {
        resident_octets(self.process.id())
    }

    /// Seconds that it has computed.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(&self.process.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Builds something of the package `leasehold` and says where it is: Cargo tells.
pub(super) fn built(root: &Path, which: &[&str], name: &str) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "leasehold"])
        .args(which)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo does not start")?;
    ensure!(output.status.success(), "{name} does not build");
    let messages = output.stdout.split(|octet| *octet == b'\n');
    let mut executables = messages.filter_map(|line| {
        let message: serde_json::Value = serde_json::from_slice(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.find(|path| path.ends_with(name)).with_context(|| format!("cargo names no {name}"))
}

/// Octets of memory that a process holds now.
pub(super) fn resident_octets(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// Seconds that a process has computed, all threads together; it is named as in `/proc`.
pub(super) fn cpu_seconds(process: &str) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is a name in brackets and may hold blanks; user and system time are 14th and 15th.
    let (_, fields) = stat.rsplit_once(") ").context("no name in stat")?;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}
