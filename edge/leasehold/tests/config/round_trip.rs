//! What is written reads back: a configuration made up of everything it can hold.

use leasehold::config::{Config, render};
use proptest::prelude::*;

use crate::arbitrary::config;
use crate::{EXAMPLE, LINKS, RELAY_EXAMPLE, good};

proptest! {
    #[test]
    fn what_is_written_reads_back(config in config()) {
        prop_assert_eq!(good(&render(&config)), config);
    }
}

#[test]
fn what_is_usual_is_left_out() {
    let text = render(&Config::default());
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    assert_eq!(good(&text), Config::default());
}

#[test]
fn files_read_back_as_they_were() {
    for text in [EXAMPLE, RELAY_EXAMPLE, LINKS] {
        let config = good(text);
        assert_eq!(good(&render(&config)), config);
    }
}

#[test]
fn what_has_a_key_is_written_with_it() {
    let text = render(&good(EXAMPLE));
    for line in [
        "dns-servers = [\"2001:db8::53\"]",
        "domain-list = [\"example.net\"]",
        "ntp-servers = [\"2001:db8::123\", \"ntp.example.net\"]",
        "information-refresh-time = 86400",
        "preference = 255",
        "interface-id = \"ge-0/0/7\"",
    ] {
        assert!(text.lines().any(|written| written == line), "{line} is not in\n{text}");
    }
    assert!(text.contains("text = \"https://portal.example.net/\""), "{text}");
}
