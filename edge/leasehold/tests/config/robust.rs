//! Whatever the file holds, it is read without a panic.

use proptest::prelude::*;

use crate::{EXAMPLE, RELAY_EXAMPLE, parse};

proptest! {
    #[test]
    fn arbitrary_text_is_read_without_a_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    /// A good file with one line replaced by something that is nearly TOML.
    #[test]
    fn a_spoiled_file_is_read_without_a_panic(
        example in example(),
        line in 0..200usize,
        text in "[a-z0-9:/.\" =\\[\\]{}%\\-]{0,40}",
    ) {
        let mut lines: Vec<&str> = example.lines().collect();
        let line = line % lines.len();
        lines[line] = &text;
        let _ = parse(&lines.join("\n"));
    }

    /// Any value in the place of any other.
    #[test]
    fn any_value_anywhere_is_read_without_a_panic(example in example(), line in 0..200usize, value in value()) {
        let all: String = example.lines().enumerate().map(|(index, text)| {
            let key = text.trim_start_matches('#').split_once(" = ").map(|(key, _)| key);
            match key {
                Some(key) if index == line && !key.starts_with(' ') => format!("{key} = {value}\n"),
                _ => format!("{text}\n"),
            }
        }).collect();
        if let Err(faults) = parse(&all) {
            prop_assert!(faults.0.iter().all(|fault| fault.line.is_some()));
        }
    }
}

fn example() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(EXAMPLE), Just(RELAY_EXAMPLE)]
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u128>().prop_map(|bits| format!("\"{}/{}\"", std::net::Ipv6Addr::from_bits(bits), bits % 140)),
        any::<bool>().prop_map(|value| value.to_string()),
        Just("1979-05-27".to_owned()),
        Just("nan".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(", "))),
            inner.prop_map(|value| format!("{{ from = {value} }}")),
        ]
    })
}
