//! A set of nftables that has every delegated prefix together with its interface, for rules about where packets
//! may come from; and, if wished, a rule against packets that would go back to where they came from.
//!
//! The set is ours and the rules that use it are the operator's, in the same table:
//! `iifname . ip6 saddr != @delegated drop`, say. All of it is done by the program `nft`, a transaction at a time.
//! What the set has is known from one listing and kept in step from then on; when `nft` refuses, because
//! somebody has flushed the rules, it is listed anew.
//!
//! Nothing is flushed to be filled again: the kernel takes a millisecond for each element that leaves a large
//! set, so only differences are told.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use wire::Prefix;

/// Elements that leave with one transaction: about a quarter of a second of the kernel's time in a set of 64,000.
const LEAVE_AT_ONCE: usize = 256;
/// Elements that come with one transaction: about a tenth of a second.
const COME_AT_ONCE: usize = 4096;
/// The chain with the rule against loops.
const LOOPS_CHAIN: &str = "leasehold-loops";

/// Which set, and what else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterSettings {
    /// The family of the table: `inet` or `ip6`.
    pub family: &'static str,
    /// The table; made if it is not there.
    pub table: String,
    /// The set; made if it is not there.
    pub set: String,
    /// What becomes of packets that would go back to where they came from.
    pub loops: Loops,
}

/// What becomes of packets from a client that lead into what is delegated to it (RFC 8987 R-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loops {
    /// They go back.
    Pass,
    /// They are dropped.
    Drop,
    /// They are dropped, and their sender is told (ICMPv6 type 1, code 6).
    Reject,
}

/// An element: a prefix and the name of the interface that it lies behind.
pub type Element = (Arc<str>, Prefix);

/// What the sets shall have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elements {
    /// Every delegated prefix.
    pub delegated: BTreeSet<Element>,
    /// Those whose client is alone on its interface: whatever comes from there and leads there is a loop.
    pub alone: BTreeSet<Element>,
}

/// Keeps the sets.
#[derive(Debug)]
pub struct Filter {
    settings: FilterSettings,
    /// What the sets have; nothing if that is not known.
    present: Option<Elements>,
}

impl Filter {
    /// Keeps these from now on.
    pub fn new(settings: FilterSettings) -> Self {
        Self { settings, present: None }
    }

    /// Has the sets have these elements and no others.
    pub fn keep(&mut self, mut wanted: Elements) -> io::Result<()> {
        // What is covered is there already, and the kernel would not have it twice.
        for elements in [&mut wanted.delegated, &mut wanted.alone] {
            *elements = uncovered(std::mem::take(elements));
        }
        if let Some(present) = self.present.take()
            && self.change(&present, &wanted).is_ok()
        {
            self.present = Some(wanted);
            return Ok(());
        }
        let present = self.look()?;
        self.change(&present, &wanted)?;
        self.present = Some(wanted);
        Ok(())
    }

    /// Looks at the sets anew before they are changed the next time.
    pub fn mistrust(&mut self) {
        self.present = None;
    }

    /// Makes what is missing, and lists what is there.
    fn look(&self) -> io::Result<Elements> {
        run(&self.frame())?;
        let delegated = self.list(&self.settings.set)?;
        let alone =
            if self.settings.loops == Loops::Pass { BTreeSet::new() } else { self.list(&self.loops_set())? };
        Ok(Elements { delegated, alone })
    }

    fn change(&self, present: &Elements, wanted: &Elements) -> io::Result<()> {
        self.change_set(&self.settings.set, &present.delegated, &wanted.delegated)?;
        if self.settings.loops != Loops::Pass {
            self.change_set(&self.loops_set(), &present.alone, &wanted.alone)?;
        }
        Ok(())
    }

    fn change_set(
        &self,
        set: &str,
        present: &BTreeSet<Element>,
        wanted: &BTreeSet<Element>,
    ) -> io::Result<()> {
        let leaving: Vec<&Element> = present.difference(wanted).collect();
        let coming: Vec<&Element> = wanted.difference(present).collect();
        let is_small = leaving.len() <= LEAVE_AT_ONCE && coming.len() <= COME_AT_ONCE;
        let leave = leaving.chunks(LEAVE_AT_ONCE).map(|elements| self.statement("delete", set, elements));
        let come = coming.chunks(COME_AT_ONCE).map(|elements| self.statement("add", set, elements));
        if is_small {
            let both: String = leave.chain(come).collect();
            return if both.is_empty() { Ok(()) } else { run(&both) };
        }
        leave.chain(come).try_for_each(|statement| run(&statement))
    }

    fn statement(&self, what: &str, set: &str, elements: &[&Element]) -> String {
        let elements: Vec<String> =
            elements.iter().map(|(interface, prefix)| format!("\"{interface}\" . {prefix}")).collect();
        format!("{what} element {} {set} {{ {} }}\n", self.table(), elements.join(", "))
    }

    /// The table, the sets and the rule; what is there stays as it is.
    fn frame(&self) -> String {
        let (table, set, loops_set) = (self.table(), &self.settings.set, self.loops_set());
        let set_of =
            |name: &str| format!("add set {table} {name} {{ type ifname . ipv6_addr; flags interval; }}\n");
        let mut script = format!("add table {table}\n{}{}", set_of(set), set_of(&loops_set));
        let verdict = match self.settings.loops {
            Loops::Pass => {
                // Whatever an earlier run has left: made, if need be, to be deleted.
                script += &format!("add chain {table} {LOOPS_CHAIN}\nflush chain {table} {LOOPS_CHAIN}\n");
                script += &format!("delete chain {table} {LOOPS_CHAIN}\ndelete set {table} {loops_set}\n");
                return script;
            }
            Loops::Drop => "drop",
            Loops::Reject => "reject with icmpv6 type reject-route",
        };
        script += &format!(
            "add chain {table} {LOOPS_CHAIN} {{ type filter hook forward priority 0; policy accept; }}\n\
             flush chain {table} {LOOPS_CHAIN}\n\
             add rule {table} {LOOPS_CHAIN} iifname . ip6 daddr @{loops_set} counter {verdict}\n"
        );
        script
    }

    fn list(&self, set: &str) -> io::Result<BTreeSet<Element>> {
        let output = Command::new("nft")
            .args(["-j", "list", "set", self.settings.family, &self.settings.table, set])
            .output()
            .map_err(no_program)?;
        checked(&output)?;
        let listed: Value = serde_json::from_slice(&output.stdout)?;
        let objects = listed["nftables"].as_array().into_iter().flatten();
        let elements = objects.filter_map(|object| object["set"]["elem"].as_array()).flatten();
        Ok(elements.filter_map(element).collect())
    }

    fn table(&self) -> String {
        format!("{} {}", self.settings.family, self.settings.table)
    }

    fn loops_set(&self) -> String {
        format!("{}-loops", self.settings.set)
    }
}

/// Whether an interface can be named in a set: others' names would be read as something else.
pub fn is_plain_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c))
}

/// Without those that another one of the same interface covers; that one stands before them.
fn uncovered(elements: BTreeSet<Element>) -> BTreeSet<Element> {
    let mut last: Option<Element> = None;
    let is_new = |element: &Element| {
        let is_covered = last.as_ref().is_some_and(|last| last.0 == element.0 && last.1.covers(element.1));
        if !is_covered {
            last = Some(element.clone());
        }
        !is_covered
    };
    elements.into_iter().filter(is_new).collect()
}

/// An element as `nft` lists it: `{"concat": ["lan1", {"prefix": {"addr": "2001:db8::", "len": 56}}]}`, or with the
/// address alone if it is a whole one.
fn element(listed: &Value) -> Option<Element> {
    // With a comment or a counter it is one level deeper.
    let listed = listed.get("elem").and_then(|inner| inner.get("val")).unwrap_or(listed);
    let parts = listed["concat"].as_array()?;
    let [interface, destination] = parts.as_slice() else { return None };
    let (address, length) = match destination.as_str() {
        Some(address) => (address, 128),
        None => (destination["prefix"]["addr"].as_str()?, destination["prefix"]["len"].as_u64()?),
    };
    let prefix = Prefix::new(address.parse().ok()?, u8::try_from(length).ok()?).ok()?;
    Some((interface.as_str()?.into(), prefix))
}

/// Has `nft` do all of this, or nothing.
fn run(script: &str) -> io::Result<()> {
    let mut child = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(no_program)?;
    let mut stdin = child.stdin.take().expect("it is a pipe");
    // It reads all before it says anything. If it does not read all, its status says why.
    let _ = stdin.write_all(script.as_bytes());
    drop(stdin);
    checked(&child.wait_with_output()?)
}

fn no_program(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot run nft (package nftables): {error}"))
}

fn checked(output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("nft: {}", said.lines().next().unwrap_or("failed without a word"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered_on_the_same_interface_is_left_out() {
        let element = |interface: &str, prefix: &str| (Arc::from(interface), prefix.parse().unwrap());
        let all = [
            element("lan1", "2001:db8:1::/48"),
            element("lan1", "2001:db8:1:100::/56"),
            element("lan1", "2001:db8:1:100::1/128"),
            element("lan1", "2001:db8:2::/48"),
            element("lan2", "2001:db8:1:100::/56"),
        ];
        let expected = [all[0].clone(), all[3].clone(), all[4].clone()];
        assert_eq!(uncovered(all.into()), BTreeSet::from(expected));
    }
}
