//! What an operator may want to read in a log.

use wire::{Duid, DuidRef, Prefix};

use crate::delegations::Verdict;
use crate::ports::PortId;

/// Something worth a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A word on a delegation, and what has become of it.
    Delegation {
        /// What is delegated.
        prefix: Prefix,
        /// To whom.
        client: Duid,
        /// Where.
        port: PortId,
        /// What has become of it.
        verdict: Verdict,
    },
    /// A recovery is over: every server has said all that it knows.
    Recovered {
        /// Delegations that nobody has spoken of any more, and that are dropped.
        delegations: usize,
        /// Routes that nothing wants, and that are removed.
        routes: usize,
    },
}

impl Note {
    pub(crate) fn of(prefix: Prefix, client: DuidRef<'_>, port: PortId, verdict: Verdict) -> Self {
        Self::Delegation { prefix, client: client.to_duid(), port, verdict }
    }
}
