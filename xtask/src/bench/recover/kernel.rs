//! The kernel's routes, as they are counted, listed and put in by others than the relay.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::bench::namespace::Namespace;
use crate::bench::process::built;

/// How often routes are counted while they come: a thousandth of the shortest recovery that can be told from another.
const STEP: Duration = Duration::from_millis(2);
/// By which the relay's routes are known.
const PROTOCOL: &str = "220";

/// How many routes a namespace has, all of them together, at the cost of reading one number.
pub(super) struct Counter(File);

impl Counter {
    pub(super) fn open(namespace: &Namespace) -> Result<Self> {
        namespace.within(|| Ok(Self(File::open("/proc/thread-self/net/rt6_stats")?)))
    }

    pub(super) fn routes(&mut self) -> Result<u64> {
        let mut text = String::new();
        self.0.rewind()?;
        self.0.read_to_string(&mut text)?;
        // Nodes of the tree, nodes with routes, routes allocated, routes.
        let routes = text.split_whitespace().nth(3).context("no number of routes")?;
        Ok(u64::from_str_radix(routes, 16)?)
    }

    /// Waits until there are so many.
    pub(super) fn wait(&mut self, routes: u64, at_most: Duration) -> Result<()> {
        let begun = Instant::now();
        while self.routes()? < routes {
            ensure!(begun.elapsed() < at_most, "{} of {routes} routes in {at_most:?}", self.routes()?);
            thread::sleep(STEP);
        }
        Ok(())
    }
}

/// The relay's routes to clients, a line for each, as `ip` takes them.
pub(super) fn list(namespace: &Namespace) -> Result<Vec<String>> {
    let output = namespace.within(|| {
        let mut ip = Command::new("ip");
        Ok(ip.args(["-6", "route", "show", "proto", PROTOCOL]).output()?)
    })?;
    ensure!(output.status.success(), "ip route show: {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    let with_protocol = |line: &str| line.replacen(" metric ", &format!(" proto {PROTOCOL} metric "), 1);
    let lines = text.lines().filter(|line| line.contains(" via "));
    Ok(lines.map(|line| with_protocol(line.trim_end().trim_end_matches(" pref medium"))).collect())
}

/// The same routes in another order, which is that of their prefixes in `order`.
pub(super) fn in_order(routes: &[String], order: &[String]) -> Result<Vec<String>> {
    let by_prefix = |route: &String| Some((route.split_once(' ')?.0.to_owned(), route.clone()));
    let routes: BTreeMap<String, String> = routes.iter().filter_map(by_prefix).collect();
    let route =
        |prefix: &String| routes.get(prefix).cloned().with_context(|| format!("no route to {prefix}"));
    order.iter().map(route).collect()
}

/// Takes all of the relay's away.
pub(super) fn flush(namespace: &Namespace) -> Result<()> {
    namespace.ip(&format!("-6 route flush proto {PROTOCOL}"))
}

/// Seconds that `ip -6 -batch` takes to put these in.
pub(super) fn ip_batch_seconds(namespace: &Namespace, routes: &[String]) -> Result<f64> {
    let lines: String = routes.iter().map(|route| format!("route add {route}\n")).collect();
    let begun = Instant::now();
    feed(namespace, Command::new("ip").args(["-6", "-batch", "-"]), &lines)?;
    Ok(begun.elapsed().as_secs_f64())
}

/// The writer without a relay around it.
pub(super) struct RawWriter(PathBuf);

impl RawWriter {
    /// Builds it.
    pub(super) fn build(root: &std::path::Path) -> Result<Self> {
        Ok(Self(built(root, &["--example", "route_writer"], "route_writer")?))
    }

    /// Seconds that it takes to put these in, reading them not counted.
    pub(super) fn seconds(&self, namespace: &Namespace, routes: &[String]) -> Result<f64> {
        let lines: String = routes.iter().map(|route| format!("{route}\n")).collect();
        let said = feed(namespace, Command::new(&self.0).arg("-"), &lines)?;
        Ok(said.trim().parse()?)
    }
}

/// Runs a program in a namespace with this input, and gives what it says.
fn feed(namespace: &Namespace, command: &mut Command, input: &str) -> Result<String> {
    namespace.within(|| {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("the input is a pipe")?;
        stdin.write_all(input.as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{:?}: {}", command.get_program(), output.status);
        Ok(String::from_utf8(output.stdout)?)
    })
}
