//! Interfaces of this machine, by name or pattern.

use lease::InterfacePattern;

use super::faults::Collector;
use super::toml_tree::Item;

/// Octets of an interface's name: what Linux has room for (IFNAMSIZ, less the zero at the end).
const MAX_NAME_OCTETS: usize = 15;

/// A name, in which `*` stands for any characters and `?` for one.
pub(super) fn pattern(item: &Item<'_>, faults: &mut Collector) -> Option<InterfacePattern> {
    let remedy = "write an interface's name, such as \"eth1\", or a pattern, such as \"vlan*\"";
    item.parse(faults, remedy, |text| checked(text).map(|text| InterfacePattern(text.to_owned())))
}

/// The name of one interface.
pub(super) fn name(item: &Item<'_>, faults: &mut Collector) -> Option<String> {
    item.parse(faults, "write the name of one interface, such as \"eth1\"", checked_name)
}

/// A text that can be the name of one interface.
pub(super) fn checked_name(text: &str) -> Result<String, String> {
    match checked(text)? {
        text if text.contains(['*', '?']) => Err(format!("{text:?} may mean several interfaces")),
        text => Ok(text.to_owned()),
    }
}

fn checked(text: &str) -> Result<&str, String> {
    match text {
        "" => Err("is empty".to_owned()),
        _ if text.len() > MAX_NAME_OCTETS => {
            Err(format!("{text:?} has more than the {MAX_NAME_OCTETS} octets of an interface's name"))
        }
        _ if text.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) => {
            Err(format!("{text:?} is no interface's name"))
        }
        _ => Ok(text),
    }
}

/// Whether the pattern means one interface only.
pub(super) fn is_name(pattern: &InterfacePattern) -> bool {
    !pattern.0.contains(['*', '?'])
}

/// Whether there is a name that both patterns mean.
pub(super) fn overlap(a: &InterfacePattern, b: &InterfacePattern) -> bool {
    let (a, b) = (a.0.as_bytes(), b.0.as_bytes());
    let known = literal_octets(a).min(literal_octets(b));
    a[..known] == b[..known] && have_common_name(&a[known..], &b[known..])
}

/// Whether `first` means every name that `second` does. Asked with names in which the characters that
/// `second` leaves open are such as no pattern spells out: none, and more than a name has.
pub(super) fn covers(first: &InterfacePattern, second: &InterfacePattern) -> bool {
    let filled = |any: &str| second.0.replace('*', any).replace('?', "\u{1}");
    first.matches(&filled("")) && first.matches(&filled(&"\u{1}".repeat(MAX_NAME_OCTETS + 1)))
}

/// Octets before the first that stands for others.
fn literal_octets(pattern: &[u8]) -> usize {
    pattern.iter().take_while(|octet| !matches!(octet, b'*' | b'?')).count()
}

/// Asked for each pair of rests, shortest first.
fn have_common_name(a: &[u8], b: &[u8]) -> bool {
    let mut common = vec![vec![false; b.len() + 1]; a.len() + 1];
    for i in (0..=a.len()).rev() {
        for j in (0..=b.len()).rev() {
            common[i][j] = match (a.get(i), b.get(j)) {
                (None, None) => true,
                (Some(b'*'), None) => common[i + 1][j],
                (None, Some(b'*')) => common[i][j + 1],
                (None, Some(_)) | (Some(_), None) => false,
                (Some(b'*'), Some(_)) | (Some(_), Some(b'*')) => common[i + 1][j] || common[i][j + 1],
                (Some(x), Some(y)) => (x == y || *x == b'?' || *y == b'?') && common[i + 1][j + 1],
            };
        }
    }
    common[0][0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_where_a_name_fits_both() {
        let overlap = |a: &str, b: &str| {
            let (a, b) = (InterfacePattern(a.to_owned()), InterfacePattern(b.to_owned()));
            assert_eq!(overlap(&a, &b), overlap(&b, &a));
            overlap(&a, &b)
        };
        assert!(overlap("eth0", "eth0") && overlap("vlan*", "vlan1?") && overlap("*0", "eth*"));
        assert!(overlap("*a*", "b*") && overlap("?th0", "e?h?") && overlap("*", "**"));
        assert!(!overlap("eth0", "eth1") && !overlap("vlan*", "eth*") && !overlap("eth?", "eth"));
        assert!(!overlap("*0", "*1") && !overlap("a*b", "a*c") && !overlap("eth??", "eth*x?y"));
    }

    #[test]
    fn patterns_cover_what_lets_nothing_else_through() {
        let covers = |a: &str, b: &str| {
            super::covers(&InterfacePattern(a.to_owned()), &InterfacePattern(b.to_owned()))
        };
        assert!(covers("*", "eth?") && covers("vlan*", "vlan1*") && covers("eth?", "eth1"));
        assert!(covers("e*", "e*0") && covers("eth0", "eth0") && covers("?*", "e*"));
        assert!(!covers("eth?", "eth*") && !covers("eth?*", "eth*") && !covers("eth1*", "eth*"));
        assert!(!covers("eth1", "eth?") && !covers("*0", "*") && !covers("???", "e*"));
    }
}
