//! File descriptors, of which each connection is one.
//!
//! A process is given a limit that suits most (1024) and may raise it up to another one. The server takes what
//! its connections need, and no more connections than it has descriptors for: so it is never the store, or a
//! socket for clients, that has to do without.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::warn;

use crate::config::Config;

/// Descriptors for all else: the store's files, sockets for datagrams, commands, and connections that are on
/// their way out.
const OTHER_FILES: u64 = 256;

/// Provides for as many connections as the configuration wants, or changes it to as many as there can be.
pub(super) fn provide(config: &mut Config) {
    let wanted = config.leasequery.bulk.limits.max_connections;
    let files = match raise(wanted as u64 + OTHER_FILES) {
        Ok(files) => files,
        Err(error) => return warn!("cannot tell how many files may be open: {error}"),
    };
    let possible = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX).max(1);
    if possible < wanted {
        warn!(
            "leasequery.bulk.max-connections is {wanted}, but with {files} open files (ulimit -n, LimitNOFILE) \
             there can be {possible}"
        );
        config.leasequery.bulk.limits.max_connections = possible;
    }
}

/// Raises the number of files that may be open to so many, as far as that is allowed; gives what it is.
fn raise(wanted: u64) -> nix::Result<u64> {
    let (now, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let raised = wanted.min(most);
    if raised <= now {
        return Ok(now);
    }
    setrlimit(Resource::RLIMIT_NOFILE, raised, most)?;
    Ok(raised)
}
