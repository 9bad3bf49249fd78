//! Keeping the originals of what a lightweight relay takes from passing through the bridge, by a table of nftables.
//!
//! Rules go by names of interfaces, so that they hold for one that comes before anybody has looked at it. Only what
//! nftables has no word for, a pattern with something other than one `*` at its end, is written as the names that
//! are there. Every change is one transaction: there is no moment without rules. The table goes with the relay; when
//! the relay is killed it stays, and clients are kept from the network until the relay is back, which replaces it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use lease::InterfacePattern;
use tracing::warn;

const TABLE: &str = "bridge leasehold-ldra";

/// What passes the bridge's ports to the port of servers and relays; of a datagram in fragments, the first of them
/// shows it, and nothing else is sent to that group at all.
const FROM_CLIENTS: &str = "ip6 daddr ff02::1:2 udp dport 547 drop
    ip6 daddr ff02::1:2 exthdr frag exists drop";
const FROM_NETWORK: &str = "ip6 saddr fe80::/10 ip6 daddr fe80::/10 udp dport 547 drop";

/// Rules that are in place as long as this is there.
#[derive(Debug)]
pub(super) struct Interception {
    in_place: String,
}

impl Interception {
    /// Puts rules in place for interfaces that face clients or the network; those of these names are there.
    pub(super) fn start(
        clients: &[InterfacePattern],
        network: &[InterfacePattern],
        names: &[String],
    ) -> anyhow::Result<Self> {
        let in_place = rules(clients, network, names);
        apply(&in_place)?;
        Ok(Self { in_place })
    }

    /// Goes by other patterns, and by the names that are there now. If that fails, everything stays as it was.
    pub(super) fn replace(
        &mut self,
        clients: &[InterfacePattern],
        network: &[InterfacePattern],
        names: &[String],
    ) -> anyhow::Result<()> {
        let wanted = rules(clients, network, names);
        if wanted != self.in_place {
            apply(&wanted)?;
            self.in_place = wanted;
        }
        Ok(())
    }
}

impl Drop for Interception {
    fn drop(&mut self) {
        if let Err(error) = apply(&format!("delete table {TABLE}\n")) {
            warn!("the rules of nftables stay, and DHCPv6 does not pass: {error:#}");
        }
    }
}

/// The whole table, which takes the place of the one before.
fn rules(clients: &[InterfacePattern], network: &[InterfacePattern], names: &[String]) -> String {
    let mut jumps = String::new();
    for (patterns, chain) in [(clients, "from-clients"), (network, "from-network")] {
        for name in patterns.iter().flat_map(|pattern| words_for(pattern, names)) {
            let _ = writeln!(jumps, "    iifname \"{name}\" jump {chain}");
        }
    }
    format!(
        "table {TABLE}
delete table {TABLE}
table {TABLE} {{
  chain from-clients {{
    {FROM_CLIENTS}
  }}
  chain from-network {{
    {FROM_NETWORK}
  }}
  chain taken {{
    type filter hook prerouting priority -300; policy accept;
{jumps}  }}
}}
"
    )
}

/// What nftables is to compare with names, to mean what the pattern means.
fn words_for(pattern: &InterfacePattern, names: &[String]) -> Vec<String> {
    let beginning = pattern.0.strip_suffix('*').unwrap_or(&pattern.0);
    if is_plain(beginning) {
        return vec![pattern.0.clone()];
    }
    let meant = names.iter().filter(|name| pattern.matches(name) && is_plain(name));
    meant.cloned().collect()
}

/// Whether nftables reads it as it is. Names that only try whether it does are left alone.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"._-@+:".contains(&octet))
}

/// Has `nft` do it, all or nothing.
fn apply(commands: &str) -> anyhow::Result<()> {
    let mut command = Command::new("nft");
    command.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = command.spawn().map_err(explain)?;
    let input = running.stdin.take().context("nft has no input")?;
    // What it refuses to read it says itself, below.
    let _ = { input }.write_all(commands.as_bytes());
    let output = running.wait_with_output().context("cannot wait for nft")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("nft does not take the rules for the bridge: {}", said.lines().next().unwrap_or_default());
    }
    Ok(())
}

fn explain(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        anyhow::anyhow!("mode \"lightweight\" needs the program nft; install nftables")
    } else {
        anyhow::Error::from(error).context("cannot start nft")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<InterfacePattern> {
        texts.iter().map(|text| InterfacePattern((*text).to_owned())).collect()
    }

    #[test]
    fn what_nftables_can_compare_it_compares_and_the_rest_is_spelt_out() {
        let names = ["eth1", "eth12", "line7", "line8", "a\"b7", "wan0"].map(str::to_owned);
        let rules =
            rules(&patterns(&["eth1", "cust*", "*e7", "a?b7", "none?"]), &patterns(&["wan0"]), &names);
        let jumps: Vec<&str> =
            rules.lines().filter_map(|line| line.trim().strip_prefix("iifname ")).collect();
        assert_eq!(
            jumps,
            [
                "\"eth1\" jump from-clients",
                "\"cust*\" jump from-clients",
                "\"line7\" jump from-clients",
                "\"wan0\" jump from-network",
            ]
        );
    }

    #[test]
    fn everything_is_one_transaction() {
        let rules = rules(&patterns(&["eth1"]), &patterns(&["wan0"]), &[]);
        assert!(rules.starts_with(&format!("table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n")));
    }
}
