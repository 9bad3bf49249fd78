//! What an operator and the system tell a program by signals.

use tokio::signal::unix::{SignalKind, signal};
use tracing::error;

use crate::threads::Failed;

/// Waits until SIGTERM or SIGINT says that the program is to stop, or something of it has failed: then gives
/// what. At SIGHUP the configuration is read anew; if it cannot be, it stays as it was.
pub(crate) async fn watch_over(
    mut failed: Failed,
    mut reload: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Option<String>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(None),
            _ = interrupt.recv() => return Ok(None),
            _ = hang_up.recv() => {
                if let Err(error) = reload() {
                    error!("the configuration stays as it was: {error:#}");
                }
            }
            failure = failed.wait_for(Option::is_some) => {
                return Ok(failure.map_or(None, |failure| failure.clone()));
            }
        }
    }
}
