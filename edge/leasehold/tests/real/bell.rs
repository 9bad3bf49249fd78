//! Waiting for what happens elsewhere.
//!
//! Whoever sees something happen (a packet, a line of a log, the end of a process) rings; whoever waits looks whenever it
//! rings. What rings no bell, a file that a client writes or an address that the kernel takes, is looked at again after
//! [`LOOK_AGAIN`] anyhow. Every wait ends by a deadline.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// For what rings no bell: short beside everything that is waited for, and long beside a look.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Rung by many, heard by one; clones are the same bell.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<(Mutex<u64>, Condvar)>);

impl Bell {
    /// Something has happened.
    pub(crate) fn ring(&self) {
        *self.0.0.lock().unwrap() += 1;
        self.0.1.notify_all();
    }

    /// Looks until there is something to see; panics if that takes too long.
    pub(crate) fn wait<T>(&self, patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + patience;
        loop {
            let heard = *self.0.0.lock().unwrap();
            if let Some(seen) = look() {
                return seen;
            }
            assert!(Instant::now() < deadline, "waited {} s for {what}", patience.as_secs());
            let rings = self.0.0.lock().unwrap();
            drop(self.0.1.wait_timeout_while(rings, LOOK_AGAIN, |rings| *rings == heard));
        }
    }
}
