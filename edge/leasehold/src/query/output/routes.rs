//! One `ip -6 route replace` for each delegated prefix, as it would stand on the client's relay.
//!
//! Next hop and interface come from the relay nearest to the client. A shell may be fed with these
//! lines, so an Interface-ID becomes an interface only if it is a name that no shell could take for
//! anything else. What cannot be placed is a comment.

use std::io::Write;
use std::net::Ipv6Addr;

use anyhow::Result;

use super::Answers;
use super::view::{self, LeaseView};
use crate::relays::Hop;

/// Octets of an interface's name in Linux, without the closing zero.
const MAX_INTERFACE_NAME: usize = 15;

pub(super) fn print(answers: &Answers<'_>, out: &mut dyn Write) -> Result<()> {
    for client in view::clients(answers) {
        for lease in &client.leases {
            if let LeaseView::Prefix { prefix, .. } = lease {
                writeln!(out, "{}", route(prefix, client.nearest_relay(), &client.duid))?;
            }
        }
    }
    Ok(())
}

fn route(prefix: &str, relay: Option<&Hop>, duid: &str) -> String {
    let Some(relay) = relay else {
        return format!("# {prefix} of client {duid}: the server tells no relay");
    };
    let hop = relay.peer_address;
    let interface = relay.interface_text.as_deref().filter(|text| is_interface_name(text));
    match interface {
        _ if hop.is_unspecified() => format!("# {prefix} of client {duid}: the relay tells no next hop"),
        Some(interface) => format!("ip -6 route replace {prefix} via {hop} dev {interface}"),
        None if is_link_local(hop) => {
            format!("# {prefix} via {hop}: which interface? {}", interface_comment(relay))
        }
        None => format!("ip -6 route replace {prefix} via {hop} {}", interface_comment(relay)),
    }
}

fn interface_comment(relay: &Hop) -> String {
    match &relay.interface_id {
        Some(hex) => format!("# interface-id 0x{hex}"),
        None => "# no interface-id".to_owned(),
    }
}

fn is_interface_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    (1..=MAX_INTERFACE_NAME).contains(&text.len())
        && text.bytes().all(is_plain)
        && text.as_bytes()[0].is_ascii_alphanumeric()
}

fn is_link_local(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relays;

    fn line(interface: &str, peer: &str) -> String {
        let hop = Hop {
            link_address: Ipv6Addr::UNSPECIFIED,
            peer_address: peer.parse().unwrap(),
            interface_id: Some(relays::hex(interface.as_bytes())),
            interface_text: Some(interface.to_owned()),
            remote_id: None,
            relay_id: None,
        };
        route("2001:db8::/56", Some(&hop), "00:03:00")
    }

    #[test]
    fn an_interface_is_named_only_if_its_name_is_harmless() {
        assert_eq!(line("eth0.7", "fe80::2"), "ip -6 route replace 2001:db8::/56 via fe80::2 dev eth0.7");
        for name in ["ge-0/0/7", "$(reboot)", "a b", "-x", "sixteen-letters-", ""] {
            assert!(line(name, "fe80::2").starts_with("# 2001:db8::/56 via fe80::2"), "{name}");
            assert!(line(name, "2001:db8::2").contains("via 2001:db8::2 # interface-id 0x"), "{name}");
        }
        assert!(line("eth0", "::").starts_with('#'));
        assert!(route("2001:db8::/56", None, "00:03:00").starts_with('#'));
    }
}
