//! The programs that take part: `leasehold serve` and `leasehold relay`, each in its namespace.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use wire::Prefix;

use super::namespace::Namespace;
use super::patience::Patience;
use super::site::{self, CORE, LINE, LINES, RELAY, SERVER};
use crate::control::{self, Request};

/// Until a program can be talked to: it has little to load.
const START: Duration = Duration::from_secs(30);
/// How much of a log is told of a program that has failed.
const LAST_LINES: usize = 8;

/// What the server delegates from.
pub(super) const POOL: &str = "2001:db8:f000::/40";
const DELEGATED_LENGTH: u8 = 56;

/// A program at work, until the value goes.
#[derive(Debug)]
pub(super) struct Program {
    part: &'static str,
    process: Child,
    folder: PathBuf,
}

/// The server, with its state in this folder.
pub(super) fn serve(namespace: &Namespace, folder: &Path) -> Result<Program> {
    let links: Vec<_> = (1..=LINES).map(|line| format!("{:?}", link(line).to_string())).collect();
    let config = format!(
        r#"state = {folder:?}
[leasequery]
allow = [{{ from = "{RELAY}", queries = ["relay-id"] }}]
[[link]]
id = 1
name = "access"
prefixes = [{}]
[[link.delegation-pools]]
prefix = "{POOL}"
delegated-length = {DELEGATED_LENGTH}
"#,
        links.join(", ")
    );
    Program::start("serve", namespace, folder, &config)
}

/// The relay, which keeps nothing in its folder but its DUID: what it knows after a restart, it was told.
pub(super) fn relay(namespace: &Namespace, folder: &Path) -> Result<Program> {
    let config = format!(
        r#"state = {folder:?}
[relay]
[relay.upstream]
interfaces = ["{CORE}"]
[[relay.server]]
address = "{SERVER}"
[relay.recovery]
remember = false
[relay.routes]
aggregates = ["{POOL}"]
[[relay.interface]]
names = ["{LINE}*"]
"#
    );
    Program::start("relay", namespace, folder, &config)
}

fn link(line: u16) -> Prefix {
    let (address, length) = site::link(line);
    let host_bits = 128 - u32::from(length);
    let first = address.to_bits() >> host_bits << host_bits;
    Prefix::new(first.into(), length).expect("it has no host bits")
}

impl Program {
    fn start(part: &'static str, namespace: &Namespace, folder: &Path, config: &str) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let file = folder.join("leasehold.toml");
        fs::write(&file, config)?;
        let mut command = Command::new(std::env::current_exe().context("cannot find the program itself")?);
        command.arg(part).arg("--config").arg(file).env("NO_COLOR", "1").env_remove("NOTIFY_SOCKET");
        // A terminal's signals are for us alone: then it is also we who end it.
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(folder.join("log"))?);
        let process = namespace.within(|| {
            let started = command.spawn();
            started.with_context(|| format!("cannot start leasehold {part}"))
        })?;
        Ok(Self { part, process, folder: folder.to_owned() })
    }

    /// Waits until it takes commands: then it does all else, too.
    pub(super) fn ready(&mut self, patience: &Patience) -> Result<()> {
        let what = format!("leasehold {} to take commands", self.part);
        patience.wait(START, &what, || {
            self.ensure_running()?;
            Ok(UnixStream::connect(self.socket()).is_ok())
        })
    }

    /// Fails if it has ended.
    pub(super) fn ensure_running(&mut self) -> Result<()> {
        match self.process.try_wait()? {
            Some(status) => bail!("leasehold {} has ended ({status})", self.part),
            None => Ok(()),
        }
    }

    /// What it says to a command.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, request: &Request) -> Result<Vec<T>> {
        self.ensure_running()?;
        let mut answers = control::ask(&self.socket(), request)?;
        let items = answers.by_ref().collect();
        answers.end()?;
        Ok(items)
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("control")
    }

    /// Kills it by SIGKILL: nothing of it runs any more, not even to clean up.
    pub(super) fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The end of what a program in this folder has logged, for when something has failed.
pub(super) fn last_words(folder: &Path) -> String {
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
