//! A program at work in a namespace, on processors of its own, for as long as the value lives.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};

use super::namespace::Namespace;
use super::process;
use super::processors::pin;

/// How much of a log is shown when a program fails.
const LAST_LINES: usize = 12;

/// The process, and where it writes its log.
pub(super) struct Running {
    process: Child,
    log: PathBuf,
}

impl Running {
    /// Starts it; `command` says where its output goes, to `log` as a rule.
    pub(super) fn start(
        mut command: Command,
        namespace: &Namespace,
        processors: &[usize],
        log: PathBuf,
    ) -> Result<Self> {
        let process = namespace.within(|| {
            // A process computes where the thread does that has started it.
            pin(processors)?;
            command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))
        })?;
        Ok(Self { process, log })
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Fails if it has ended.
    pub(super) fn ensure_running(&mut self) -> Result<()> {
        let ended = self.process.try_wait()?;
        ensure!(ended.is_none(), "it has ended; {}", self.last_words());
        Ok(())
    }

    /// Seconds that it has computed.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        process::cpu_seconds(&self.id().to_string())
    }

    /// Octets of memory that it holds now.
    pub(super) fn resident_octets(&self) -> Result<u64> {
        process::resident_octets(self.id())
    }

    /// All that it has written to its log.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of that.
    pub(super) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        format!("its log ends:\n{}", lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
