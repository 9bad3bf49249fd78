//! Who the server is: the DUID by which its clients know it.
//!
//! A client renews with the server whose DUID it remembers, so a server that takes over leases should take
//! over the DUID too. Kea makes it from the parts under `server-id`, and makes up the parts that are missing:
//! from an interface, the clock, or at random. What it made up it wrote to a file beside the leases, as
//! colon-separated hexadecimal, to have the same DUID again after its next start; there it is read from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use store::import::kea::octets;
use wire::Duid;

use super::json::{ConfigError, Value};

/// The file that Kea keeps its DUID in.
const FILE_NAME: &str = "kea-dhcp6-serverid";
/// Where Debian's and most other Keas keep their files.
const DEFAULT_DIRECTORY: &str = "/var/lib/kea";

/// Types of DUID (RFC 8415 §11).
const LLT: u16 = 1;
const EN: u16 = 2;
const LL: u16 = 3;

/// Hardware type and enterprise number that Kea puts where none is given.
const ETHERNET: u16 = 1;
const ISC: u32 = 2495;

/// What a configuration says about the server's DUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerId {
    /// All of it.
    Given(Duid),
    /// Not enough of it: Kea made up the rest and keeps it in a file. The DUID there is of this type (RFC
    /// 8415 §11).
    Stored(u16),
}

impl ServerId {
    pub(super) fn from_config(value: Option<&Value>) -> Result<Self, ConfigError> {
        let Some(value) = value else { return Ok(Self::Stored(LLT)) };
        let kind = match value.text("type")? {
            None | Some("LLT") => LLT,
            Some("EN") => EN,
            Some("LL") => LL,
            Some(other) => {
                return Err(value.error(format!("`type` of `server-id` must be LLT, LL or EN, not {other}")));
            }
        };
        let mut identifier = Vec::new();
        let hexadecimal = value.text("identifier")?.unwrap_or_default();
        octets::append_hex(hexadecimal.as_bytes(), &mut identifier).ok_or_else(|| {
            value.error("`identifier` of `server-id` must be hexadecimal, two digits an octet")
        })?;
        let hardware_type =
            value.number("htype")?.filter(|&number| number != 0).unwrap_or(ETHERNET).to_be_bytes();
        let enterprise =
            value.number("enterprise-id")?.filter(|&number| number != 0).unwrap_or(ISC).to_be_bytes();
        let time = value.number("time")?.unwrap_or(0_u32);
        let middle = match kind {
            LLT if time == 0 => return Ok(Self::Stored(LLT)),
            LLT => [&hardware_type[..], &time.to_be_bytes()].concat(),
            EN => enterprise.to_vec(),
            _ => hardware_type.to_vec(),
        };
        if identifier.is_empty() {
            return Ok(Self::Stored(kind));
        }
        let duid = Duid::new(&[&kind.to_be_bytes()[..], &middle, &identifier].concat());
        duid.map(Self::Given).map_err(|error| value.error(format!("`server-id` is too long: {error}")))
    }

    /// The DUID: what the configuration says, or what is in Kea's file. That is looked for beside the leases,
    /// for they may have been copied here together, and only then where the configuration says. `None` if
    /// there is no such file, or it is not about what is configured.
    pub(super) fn resolve(
        &self,
        lease_file: &Path,
        data_directory: Option<&Path>,
    ) -> anyhow::Result<Option<Duid>> {
        let kind = match self {
            Self::Given(duid) => return Ok(Some(duid.clone())),
            Self::Stored(kind) => kind.to_be_bytes(),
        };
        let directories = [lease_file.parent(), Some(data_directory.unwrap_or(Path::new(DEFAULT_DIRECTORY)))];
        for directory in directories.into_iter().flatten() {
            if let Some(duid) =
                stored_duid(directory.join(FILE_NAME))?.filter(|duid| duid.octets().starts_with(&kind))
            {
                return Ok(Some(duid));
            }
        }
        Ok(None)
    }
}

fn stored_duid(path: PathBuf) -> anyhow::Result<Option<Duid>> {
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let mut octets = Vec::new();
    let duid =
        octets::append_colon_hex(text.trim_ascii(), &mut octets).and_then(|()| Duid::new(&octets).ok());
    let wrong =
        || anyhow!("{}: not a DUID as Kea writes it, as in 00:03:00:01:02:00:00:00:00:aa", path.display());
    duid.map(Some).ok_or_else(wrong)
}
