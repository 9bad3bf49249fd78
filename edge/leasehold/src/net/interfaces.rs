//! The interfaces of the system, and the patterns that pick some of them.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv6Addr;

use lease::InterfacePattern;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nameindex;

/// An interface that is there. Its index names it to the kernel; one that is made anew has another index,
/// though its name be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its number in the kernel.
    pub index: u32,
    /// Its name.
    pub name: String,
}

impl Interface {
    /// All that are there now, up or down.
    pub fn present() -> io::Result<Vec<Self>> {
        let interface = |named: &nix::net::if_::Interface| Self {
            index: named.index(),
            name: named.name().to_string_lossy().into_owned(),
        };
        Ok(if_nameindex()?.iter().map(interface).collect())
    }
}

/// A link-local address of each interface that has one, by the interface's name.
pub fn link_local_addresses() -> io::Result<BTreeMap<String, Ipv6Addr>> {
    let listed = getifaddrs()?.filter_map(|listed| {
        let address = listed.address?.as_sockaddr_in6()?.ip();
        address.is_unicast_link_local().then_some((listed.interface_name, address))
    });
    Ok(listed.collect())
}

/// Names of interfaces as a shell writes them: `*` stands for any characters or none, `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patterns(Vec<InterfacePattern>);

impl Patterns {
    /// A name matches if one of these does.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self(patterns.into_iter().map(|pattern| InterfacePattern(pattern.as_ref().to_owned())).collect())
    }

    /// Whether nothing is picked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The patterns that pick none of these names.
    pub fn idle<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a InterfacePattern> {
        self.0.iter().filter(|pattern| !names.iter().any(|name| pattern.matches(name)))
    }

    /// Whether a name is picked.
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_picks_nothing_is_idle() {
        let patterns = Patterns::new(["lan?", "wlan*"]);
        let idle: Vec<String> =
            patterns.idle(&["lan1".to_owned(), "lo".to_owned()]).map(ToString::to_string).collect();
        assert_eq!(idle, ["wlan*"]);
    }

    #[test]
    fn one_of_several_is_enough_and_none_of_none_matches() {
        let patterns = Patterns::new(["lan?", "wlan*"]);
        assert!(patterns.matches("lan1") && patterns.matches("wlan10") && !patterns.matches("wan"));
        assert!(!Patterns::new(Vec::<String>::new()).matches("lan1"));
    }

    #[test]
    fn the_loopback_interface_is_there() {
        let present = Interface::present().unwrap();
        assert!(
            present.iter().any(|interface| interface.name == "lo" && interface.index != 0),
            "{present:?}"
        );
    }
}
