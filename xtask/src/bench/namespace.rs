//! A network namespace, for as long as the value lives.
//!
//! It has no name. A file holds it, so the kernel removes it, with all that is in it, as soon as this process and those it
//! started are gone, however they end.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::process::{self, Command};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace.
pub(super) struct Namespace(File);

impl Namespace {
    /// A new one, in which nothing but its loopback is there.
    pub(super) fn make() -> Result<Self> {
        let made = thread::spawn(|| -> Result<File> {
            unshare(CloneFlags::CLONE_NEWNET).context("no network namespace: this needs root")?;
            // An address is used at once, or the first second of a run would be lost.
            fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0")?;
            Ok(File::open("/proc/thread-self/ns/net")?)
        });
        let namespace =
            Self(made.join().map_err(|_| anyhow!("the thread in a new namespace has panicked"))??);
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// Does something inside: a socket made there stays there, and so does a process.
    pub(super) fn within<T: Send>(&self, action: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.0, CloneFlags::CLONE_NEWNET)?;
                action()
            });
            inside.join().map_err(|_| anyhow!("a thread inside a namespace has panicked"))?
        })
    }

    /// The number of an interface here.
    pub(super) fn interface_number(&self, name: &str) -> Result<u32> {
        self.within(|| Ok(nix::net::if_::if_nametoindex(name)?))
    }

    /// By which `ip` knows it.
    pub(super) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", process::id(), self.0.as_raw_fd())
    }

    /// Runs `ip` inside.
    pub(super) fn ip(&self, arguments: &str) -> Result<()> {
        self.within(|| {
            let mut command = Command::new("ip");
            let status =
                command.args(arguments.split(' ')).status().context("ip (Debian: iproute2) is missing")?;
            ensure!(status.success(), "ip {arguments}: {status}");
            Ok(())
        })
    }
}
