//! The programs that take part: `leasehold relay`, which recovers, and `leasehold serve`, which knows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::site::{ACCESS, SERVER, SINK, Site};
use crate::bench::namespace::Namespace;
use crate::bench::process::Program;
use crate::bench::running::Running;

/// How long a server may take to start: it loads its clients.
const START: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a thread has cost.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct ThreadSeconds {
    pub(super) computed: f64,
    /// Ready to compute, while others had all processors.
    pub(super) kept_waiting: f64,
}

/// Starts the relay with nothing but its name, which is the one that synthetic clients were behind if `known`.
pub(super) fn relay(
    program: &Program,
    site: &Site,
    processors: &[usize],
    folder: &Path,
    known: bool,
) -> Result<Running> {
    let interfaces = ACCESS.map(|name| format!("{name:?}")).join(", ");
    let relay_id =
        if known { crate::bench::synthetic_relay() } else { "00:03:00:01:02:00:00:00:ff:ff".into() };
    let text = format!(
        r#"state = {state:?}
[relay]
relay-id = "{relay_id}"
[[relay.interface]]
names = [{interfaces}]
[[relay.server]]
address = "{SERVER}"
forward = false
[[relay.server]]
address = "{SINK}"
leasequery = false
[relay.routes]
aggregates = ["3fff::/20"]
"#,
        state = folder.join("state").display().to_string()
    );
    start(program, "relay", &site.relay, processors, folder, &text)
}

/// Starts the server and waits until it can be asked.
pub(super) fn server(program: &Program, site: &Site, processors: &[usize], folder: &Path) -> Result<Running> {
    let text = format!(
        r#"state = {state:?}
[leasequery]
allow = [{{ from = "::/0" }}]
[[link]]
id = 1
name = "access-1"
prefixes = ["2001:db8::/64"]
address-pools = ["2001:db8::1:0:0 - 2001:db8::1:ffff:ffff"]
[[link.delegation-pools]]
prefix = "3fff::/20"
delegated-length = 56
"#,
        state = folder.display().to_string()
    );
    let server = start(program, "serve", &site.servers, processors, folder, &text)?;
    let begun = Instant::now();
    while !server.log().contains("(TCP)") {
        ensure!(begun.elapsed() < START, "the server does not listen; {}", server.last_words());
        thread::sleep(LOOK_AGAIN);
    }
    Ok(server)
}

fn start(
    program: &Program,
    part: &str,
    namespace: &Namespace,
    processors: &[usize],
    folder: &Path,
    config: &str,
) -> Result<Running> {
    fs::create_dir_all(folder)?;
    let (file, log) = (folder.join(format!("{part}.toml")), folder.join(format!("{part}.log")));
    fs::write(&file, config)?;
    let mut command = program.command();
    command.args([part, "--config"]).arg(file).env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
    Running::start(command, namespace, processors, log)
}

/// What the threads of a program have cost, by name.
pub(super) fn thread_seconds(program: &Running) -> Result<BTreeMap<String, ThreadSeconds>> {
    let mut threads: BTreeMap<String, ThreadSeconds> = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{}/task", program.id()))? {
        let thread = thread?.path();
        let name = fs::read_to_string(thread.join("comm"))?.trim().to_owned();
        let about = fs::read_to_string(thread.join("schedstat"))?;
        let mut nanoseconds = about.split(' ').map(str::parse::<u64>);
        let mut seconds = || Ok::<_, anyhow::Error>(nanoseconds.next().context("no time")?? as f64 / 1e9);
        let all = threads.entry(name).or_default();
        all.computed += seconds()?;
        all.kept_waiting += seconds()?;
    }
    Ok(threads)
}
