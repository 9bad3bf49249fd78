//! A network namespace, for as long as the value and the processes in it live.
//!
//! It has no name, and nothing is mounted: an open file holds it. So the kernel removes it, with all its
//! interfaces and routes, as soon as we and those we started are gone, however we end.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, RawFd};
use std::thread;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{getegid, geteuid};

use super::cables;

/// Who may do this, for those who may not.
const WHO_MAY: &str = "network namespaces need root, or a kernel that lets everybody make user namespaces";

/// Leaves the host's network for an empty one, as root, or as root of a user namespace that is made for it.
///
/// The kernel lets only a process of one thread do the latter.
pub(super) fn leave_the_host() -> Result<()> {
    match unshare(CloneFlags::CLONE_NEWNET) {
        Err(Errno::EPERM) => become_root_of_nothing().context(WHO_MAY),
        left => left.context(WHO_MAY),
    }
}

/// Root is who we are, and nobody else is anybody there.
fn become_root_of_nothing() -> Result<()> {
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    Ok(())
}

/// A network namespace.
#[derive(Debug)]
pub(super) struct Namespace(File);

impl Namespace {
    /// A new one, in which nothing is there but its loopback.
    pub(super) fn make() -> Result<Self> {
        let made = thread::scope(|scope| {
            let inside = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNET).context(WHO_MAY)?;
                // Interfaces have no addresses but those they are given, and these are good at once.
                set("conf/default/addr_gen_mode", "1")?;
                set("conf/default/accept_dad", "0")?;
                cables::raise("lo", &[])?;
                Ok(File::open("/proc/thread-self/ns/net")?)
            });
            inside.join().expect("nothing panics in a new namespace")
        });
        made.map(Self)
    }

    /// Does something inside: a socket made there stays there, and so does a process.
    pub(super) fn within<T: Send>(&self, action: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.0, CloneFlags::CLONE_NEWNET)?;
                action()
            });
            inside.join().expect("nothing panics inside a namespace")
        })
    }

    /// By which the kernel knows it.
    pub(super) fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Sets something of IPv6 in this thread's namespace.
pub(super) fn set(name: &str, value: &str) -> Result<()> {
    let file = format!("/proc/sys/net/ipv6/{name}");
    fs::write(&file, value).with_context(|| format!("cannot set {file} to {value}"))
}
