//! The interfaces of the system, and the patterns that pick some of them.

use std::io;

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

/// Names of interfaces as a shell writes them: `*` stands for any characters or none, `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patterns(Vec<Vec<char>>);

impl Patterns {
    /// A name matches if one of these does.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self(patterns.into_iter().map(|pattern| pattern.as_ref().chars().collect()).collect())
    }

    /// Whether a name is picked.
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        self.0.iter().any(|pattern| matches(pattern, &name))
    }
}

/// The last `*` may have to take one more character whenever what follows it does not fit; an earlier one
/// never has to, because the last can take whatever it would.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(sign) if *sign == '?' || *sign == name[read] => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, read) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(pattern: &str, name: &str) -> bool {
        Patterns::new([pattern]).matches(name)
    }

    #[test]
    fn a_plain_name_matches_itself_alone() {
        assert!(picked("eth0", "eth0"));
        assert!(!picked("eth0", "eth00"));
        assert!(!picked("eth0", "eth"));
        assert!(!picked("", "eth0"));
    }

    #[test]
    fn a_star_takes_any_characters_or_none_and_a_question_mark_takes_one() {
        assert!(picked("eth*", "eth"));
        assert!(picked("eth*", "eth0.100"));
        assert!(picked("*", "lo"));
        assert!(picked("eth?", "eth1"));
        assert!(!picked("eth?", "eth"));
        assert!(!picked("eth?", "eth10"));
        assert!(picked("e*h?.*", "eth0.7"));
    }

    #[test]
    fn a_star_takes_more_when_what_follows_does_not_fit() {
        assert!(picked("*a*b", "aabab"));
        assert!(picked("*.100", "eth0.10.100"));
        assert!(!picked("*a*b", "ba"));
        assert!(!picked("*aaa*aaa*b", &"a".repeat(64)));
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
