//! What is said about clients that are told to speak up, by Reconfigure.

use std::fmt;

use serde::{Deserialize, Serialize};
use server::exchange::{Announced, NotReconfigured};

use super::Filter;

/// Whom to tell, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telling {
    /// The clients that hold what is meant.
    pub filter: Filter,
    /// What they are to send.
    pub message: Announcement,
    /// Only say who could be told.
    pub dry_run: bool,
    /// Say what has become of each, and not that it is being told.
    pub wait: bool,
}

/// What clients are told to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Announcement {
    /// Renew, to have their leases extended or changed
    Renew,
    /// Rebind, which any server may answer
    Rebind,
    /// Information-request, to have other options
    InformationRequest,
}

impl From<Announcement> for Announced {
    fn from(announcement: Announcement) -> Self {
        match announcement {
            Announcement::Renew => Self::Renew,
            Announcement::Rebind => Self::Rebind,
            Announcement::InformationRequest => Self::InformationRequest,
        }
    }
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Renew => "renew",
            Self::Rebind => "rebind",
            Self::InformationRequest => "information-request",
        })
    }
}

/// As on the command line.
impl fmt::Display for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filter, message, dry_run, wait } = self;
        let dry_run = if *dry_run { " --dry-run" } else { "" };
        let wait = if *wait { " --wait" } else { "" };
        let all = if filter.is_empty() { "--all" } else { "" };
        write!(f, "--message {message}{dry_run}{wait} {all}{filter}")
    }
}

/// A client that was meant, and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its identifier.
    pub duid: String,
    /// The number of the link.
    pub link: u32,
    /// What the operator calls the link; `None` if it is not configured any more.
    pub link_name: Option<String>,
    /// What has become of it.
    pub outcome: Outcome,
}

/// What has become of a client that was to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is being told, or could be.
    Told,
    /// It has sent what it was told to.
    Heeded,
    /// It was told as often as is allowed, and has not.
    Silent,
    /// It was being told already.
    UnderWay,
    /// Reconfigure is off on its link.
    SwitchedOff,
    /// It has no key: it does not accept Reconfigure, or was bound before that was switched on.
    NoKey,
    /// No way to it is known.
    NoWay,
    /// It holds nothing any more.
    Gone,
}

impl Outcome {
    /// Why it is not told; `None` if it only has to wait for its turn.
    pub fn of(why: NotReconfigured) -> Option<Self> {
        match why {
            NotReconfigured::TooMany => None,
            NotReconfigured::UnderWay => Some(Self::UnderWay),
            NotReconfigured::SwitchedOff => Some(Self::SwitchedOff),
            NotReconfigured::NoKey => Some(Self::NoKey),
            NotReconfigured::NoWay => Some(Self::NoWay),
            NotReconfigured::Unknown | NotReconfigured::NoLease | NotReconfigured::Conflict => {
                Some(Self::Gone)
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Told => "told",
            Self::Heeded => "heeded",
            Self::Silent => "silent",
            Self::UnderWay => "under way already",
            Self::SwitchedOff => "switched off on its link",
            Self::NoKey => "has no key",
            Self::NoWay => "no way to it is known",
            Self::Gone => "holds nothing any more",
        })
    }
}
