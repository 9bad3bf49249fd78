//! Waiting for several sources at once, until a moment, or until another thread says so.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};

/// Waits for one thread.
#[derive(Debug)]
pub struct Poller {
    wakeup: Arc<EventFd>,
}

/// Ends the waiting of a `Poller`, from any thread.
#[derive(Debug, Clone)]
pub struct Waker {
    wakeup: Arc<EventFd>,
}

/// Why waiting ended; nothing at all if the moment came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    woken: bool,
    readable: Vec<bool>,
}

impl Poller {
    /// A poller that nobody has woken.
    pub fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self { wakeup: Arc::new(EventFd::from_flags(flags)?) })
    }

    /// What wakes it.
    pub fn waker(&self) -> Waker {
        Waker { wakeup: Arc::clone(&self.wakeup) }
    }

    /// Waits until there is something to read at one of the sources, somebody wakes it, or the moment comes.
    /// Being woken before counts, once, however often.
    pub fn wait(&self, sources: &[BorrowedFd<'_>], until: Option<Instant>) -> io::Result<Ready> {
        let fds = std::iter::once(self.wakeup.as_fd()).chain(sources.iter().copied());
        let mut waiting: Vec<_> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        loop {
            match poll(&mut waiting, timeout(until)) {
                Ok(_) => break,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        // Trouble at a source counts as well: reading tells it.
        let mut ready = waiting.iter().map(|fd| fd.any().unwrap_or(true));
        let woken = ready.next().unwrap_or(false);
        let readable = ready.collect();
        if woken {
            self.wakeup.read()?;
        }
        Ok(Ready { woken, readable })
    }
}

impl Waker {
    /// Ends the waiting now, or the next one.
    pub fn wake(&self) {
        // It can only fail when there are 2^64 wake-ups that nobody has seen.
        let _ = self.wakeup.write(1);
    }
}

impl Ready {
    /// Whether somebody has woken the poller.
    pub fn woken(&self) -> bool {
        self.woken
    }

    /// Whether the source at this place of the list has something to read, or to complain about.
    pub fn readable(&self, source: usize) -> bool {
        self.readable.get(source).copied().unwrap_or(false)
    }
}

/// What is left until the moment, rounded up to milliseconds so that it has come when waiting ends.
pub(super) fn timeout(until: Option<Instant>) -> PollTimeout {
    let Some(until) = until else { return PollTimeout::NONE };
    let left = until.saturating_duration_since(Instant::now());
    let millis = left.as_nanos().div_ceil(Duration::from_millis(1).as_nanos());
    i32::try_from(millis)
        .ok()
        .and_then(|millis| PollTimeout::try_from(millis).ok())
        .unwrap_or(PollTimeout::MAX)
}
