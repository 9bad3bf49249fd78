//! The configuration that goes with an import: `STATE/leasehold.toml`.
//!
//! It serves the imported links as it is, and answers leasequeries of this host. One that is there
//! already may have been edited and is never touched; then the new one is put beside it.

use std::fs;
use std::io::ErrorKind;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use lease::Link;
use server::exchange::LinkTerms;
use wire::Prefix;

use crate::config::{AllowRule, Config, render};

/// What became of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// The file that was written; the one that is there if it says the same already.
    pub(super) file: PathBuf,
    /// What an operator has to know about it.
    pub(super) remarks: Vec<String>,
}

/// Writes a configuration into a state folder, which exists, and whose configuration it becomes.
pub(super) fn write(folder: &Path, config: Config) -> anyhow::Result<Settings> {
    let folder = fs::canonicalize(folder).with_context(|| format!("cannot find {}", folder.display()))?;
    folder.to_str().context("a configuration cannot name a folder that is not UTF-8")?;
    let text = render(&Config { state: folder.clone(), ..config });
    let file = folder.join("leasehold.toml");
    let mut remarks = faults(&file, &text);
    let file = match fs::read(&file) {
        Ok(octets) if octets == text.as_bytes() => return Ok(Settings { file, remarks }),
        Ok(_) => {
            let new = folder.join("leasehold.toml.new");
            remarks.push(format!("{} is left as it is: see {}", file.display(), new.display()));
            new
        }
        Err(error) if error.kind() == ErrorKind::NotFound => file,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Settings { file, remarks })
}

/// These links, about which this host alone may ask.
pub(super) fn of_links(links: Vec<Link>) -> Config {
    let mut config = Config { links, ..Config::default() };
    config.dhcp.rules.links = config.links.iter().map(|link| (link.id, LinkTerms::default())).collect();
    config.leasequery.allow.push(this_host());
    config
}

/// That this host may ask.
pub(super) fn this_host() -> AllowRule {
    let from = Prefix::new(Ipv6Addr::LOCALHOST, 128).expect("128 bits are a prefix");
    AllowRule { from, queries: None }
}

/// What in the other server's configuration cannot stand in ours, and has to be mended by hand.
fn faults(file: &Path, text: &str) -> Vec<String> {
    match Config::parse(file, text) {
        Ok(config) => config.warnings.iter().map(ToString::to_string).collect(),
        Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
    }
}
