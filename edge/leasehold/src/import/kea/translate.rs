//! From Kea's configuration to ours.
//!
//! ```text
//! file --json--> scopes --keys--------> what is not translated
//!                   |----links----------> links and their terms (ways, timing)
//!                   |----options--------> options (definitions: which there are; encode: their data)
//!                   |----reservations---> reservations
//!                   \----globals--------> the rest
//! ```
//!
//! The invariant: what comes out is a good configuration, whatever stands in the file; and all that stands in
//! the file is translated, or reported, or has no meaning for a server like this.

use std::path::{Path, PathBuf};

use super::globals;
use super::json::{self, ConfigError};
use super::keys;
use super::links::LinkReader;
use super::options::OptionReader;
use super::reservations::ReservationReader;
use super::scope::{NotTranslated, Remarks, Scope};
use super::server_id::ServerId;
use super::setting::Setting;
use crate::config::Config;
use crate::import::settings;

/// What a configuration of Kea comes to.
#[derive(Debug, Clone)]
pub struct Translation {
    /// The same as a configuration of ours, without a state folder and without the server's DUID.
    pub config: Config,
    /// The numbers of the subnets on each of its links.
    pub subnets: Vec<Vec<u32>>,
    /// Who the server is.
    pub server_id: ServerId,
    /// The lease file, if one is named.
    pub lease_file: Option<PathBuf>,
    /// Where Kea keeps its files, if that is said.
    pub data_directory: Option<PathBuf>,
    /// What is not translated.
    pub not_translated: Vec<NotTranslated>,
    /// What else an operator should know.
    pub warnings: Vec<String>,
}

/// Reads a configuration and the files it includes.
pub fn translate(path: &Path) -> Result<Translation, ConfigError> {
    let root = json::read(path)?;
    let dhcp6 = root
        .member("Dhcp6")
        .ok_or_else(|| root.error("this is no configuration of kea-dhcp6: no `Dhcp6` in it"))?;
    let dhcp6 = Scope::root(dhcp6);
    let mut remarks = Remarks::default();
    keys::report(&dhcp6, keys::GLOBAL, &mut remarks);
    let mut options = OptionReader::new(&dhcp6, &mut remarks)?;
    let global = Setting::read(&dhcp6, &Setting::default(), &mut options, &mut remarks)?;
    let built = LinkReader::new(&global, &mut options, &mut remarks).read(&dhcp6)?;
    let reservations = ReservationReader::new(&dhcp6, &built, &mut options, &mut remarks)?.read(&dhcp6)?;

    let mut config = Config::default();
    config.leasequery.allow = vec![settings::this_host()];
    globals::read(&dhcp6, &options, &mut config, &mut remarks)?;
    config.dhcp.rules.options = options.offered(&global.options, &dhcp6, &mut remarks);
    config.dhcp.rules.links = built.links.iter().map(|link| link.id).zip(built.terms).collect();
    config.dhcp.reservations = reservations;
    config.links = built.links;
    let Remarks { not_translated, warnings, .. } = remarks;
    Ok(Translation {
        config,
        subnets: built.subnets,
        server_id: ServerId::from_config(dhcp6.value.member("server-id"))?,
        lease_file: lease_file(&dhcp6)?,
        data_directory: dhcp6.text("data-directory")?.map(PathBuf::from),
        not_translated,
        warnings,
    })
}

fn lease_file(dhcp6: &Scope<'_>) -> Result<Option<PathBuf>, ConfigError> {
    let Some(database) = dhcp6.member("lease-database") else { return Ok(None) };
    match database.text("type")? {
        None | Some("memfile") => Ok(database.text("name")?.map(PathBuf::from)),
        Some(_) => Ok(None),
    }
}
