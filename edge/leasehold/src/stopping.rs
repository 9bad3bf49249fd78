//! The order to stop, for all tasks and threads of a program.

use tokio::sync::watch;

/// Gives the order.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

impl Default for Stopper {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stopper {
    /// Has everybody stop who looks at a `Stopping` of this, now or later.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Hears of the order.
    pub(crate) fn stopping(&self) -> Stopping {
        Stopping(self.0.subscribe())
    }
}

/// Tells a task when the program stops.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Whether it is time.
    pub(crate) fn has_come(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the program stops, or is gone.
    pub(crate) async fn come(&mut self) {
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}
