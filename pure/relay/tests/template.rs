//! Identifiers of ports, made of what is known of them.

use proptest::prelude::*;
use relay::{ExpandError, Facts, Template, TemplateError};
use wire::Duid;

const FACTS: Facts<'_> = Facts {
    interface: "eth0.100",
    vlan: None,
    link_layer: Some(&[2, 0, 0, 0, 0xaa, 1]),
    hostname: "edge-7",
    relay_id: None,
};

fn expanded(template: &str, facts: &Facts<'_>) -> Result<Vec<u8>, ExpandError> {
    template.parse::<Template>().unwrap().expand(facts).map(Vec::from)
}

fn text(template: &str) -> String {
    String::from_utf8(expanded(template, &FACTS).unwrap()).unwrap()
}

// REL-20: what an identifier is made of is the same after a restart.
#[test]
fn fields_become_text() {
    assert_eq!(text("{interface}"), "eth0.100");
    assert_eq!(text("{hostname}:{interface}"), "edge-7:eth0.100");
    assert_eq!(text("port-7"), "port-7");
    assert_eq!(text("svlan {vlan}, {mac}."), "svlan 100, 02:00:00:00:aa:01.");
    assert_eq!(Template::default(), "{interface}".parse().unwrap());

    let duid: Duid = "00:03:00:01:02:00:00:00:aa:01".parse().unwrap();
    let facts = Facts { relay_id: Some(duid.as_ref()), ..FACTS };
    assert_eq!(expanded("{relay-id}", &facts).unwrap(), b"00:03:00:01:02:00:00:00:aa:01");
}

#[test]
fn a_brace_is_written_twice() {
    assert_eq!(text("{{{vlan}}"), "{100}");
    assert_eq!(text("{{vlan}}"), "{vlan}}");
    assert_eq!(text("a}b"), "a}b");
}

#[test]
fn octets_are_written_in_hexadecimal() {
    assert_eq!(expanded("0x00A1ff", &FACTS).unwrap(), [0, 0xa1, 0xff]);
    for wrong in ["0x", "0x0", "0x0g", "0x00 01", "0x+1", "0xé", "0x{vlan}"] {
        assert_eq!(wrong.parse::<Template>(), Err(TemplateError::NotHex), "{wrong}");
    }
}

#[test]
fn the_vlan_is_what_the_kernel_says_or_else_the_name() {
    assert_eq!(expanded("{vlan}", &Facts { vlan: Some(7), ..FACTS }).unwrap(), b"7");
    assert_eq!(expanded("{vlan}", &Facts { interface: "eth0.20.0300", ..FACTS }).unwrap(), b"300");
    for interface in ["eth0", "eth0.", "eth0.4095", "eth0.1a", "eth0.+1", "eth0.99999", "100"] {
        let facts = Facts { interface, ..FACTS };
        assert_eq!(expanded("{vlan}", &facts), Err(ExpandError::NoVlan(interface.into())), "{interface}");
    }
}

#[test]
fn what_is_not_known_cannot_be_part_of_an_identifier() {
    let nothing_known = Facts { link_layer: None, hostname: "", ..FACTS };
    assert_eq!(expanded("{mac}", &nothing_known), Err(ExpandError::NoLinkLayerAddress("eth0.100".into())));
    let without_address = Facts { link_layer: Some(&[]), ..FACTS };
    assert_eq!(expanded("{mac}", &without_address), Err(ExpandError::NoLinkLayerAddress("eth0.100".into())));
    assert_eq!(expanded("{relay-id}", &nothing_known), Err(ExpandError::NoRelayId));
    assert_eq!(expanded("{hostname}", &nothing_known), Err(ExpandError::Nothing));
}

#[test]
fn an_identifier_has_one_octet_to_255() {
    assert_eq!("".parse::<Template>(), Err(TemplateError::Empty));
    assert_eq!(expanded(&"x".repeat(255), &FACTS).unwrap().len(), 255);
    assert_eq!(expanded(&"x".repeat(256), &FACTS), Err(ExpandError::TooLong(256)));
}

#[test]
fn errors_say_what_would_be_right() {
    let told = |text: &str| text.parse::<Template>().unwrap_err().to_string();
    assert_eq!(
        told("{port}"),
        "there is no {port}; there are {interface}, {vlan}, {mac}, {hostname}, {relay-id}; a brace is written {{"
    );
    assert!(told("{interface").contains("a field is written {interface}, a brace {{"));
    let told = |template: &str, facts: &Facts<'_>| expanded(template, facts).unwrap_err().to_string();
    assert!(told("{vlan}", &Facts { interface: "ppp0", ..FACTS }).contains("ppp0 is no VLAN"));
    assert!(told(&"x".repeat(300), &FACTS).starts_with("300 octets come of it"));
}

proptest! {
    /// Any text is a template that shows itself as it was written, or an error; no fact breaks it.
    #[test]
    fn any_text_is_a_template_or_an_error(written in "(0x)?[{}a-z0-9é]{0,12}", interface in ".{0,16}") {
        if let Ok(template) = written.parse::<Template>() {
            prop_assert_eq!(template.to_string(), written);
            let _ = template.expand(&Facts { interface: &interface, ..FACTS });
        }
    }
}
