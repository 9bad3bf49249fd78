//! Which leases are meant: what is said of them is combined by "and".

use std::fmt;
use std::net::Ipv6Addr;

use lease::LeaseState;
use serde::{Deserialize, Serialize};
use wire::{Duid, Prefix};

use crate::relays::RemoteId;

/// Leases, by what is known of them and of their clients. An empty one means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Leases inside this prefix, or around it
    #[arg(long, value_name = "PREFIX")]
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Prefix>,
    /// This address, or a prefix around it
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv6Addr>,
    /// Leases of the client with this DUID
    #[arg(long, value_name = "DUID")]
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub client: Option<Duid>,
    /// Leases of clients last heard through the relay with this DUID
    #[arg(long, value_name = "DUID")]
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub relay_id: Option<Duid>,
    /// Leases of clients last heard with this Remote-ID, as in 32473:706f72742d37
    #[arg(long, value_name = "ENTERPRISE:HEX")]
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<RemoteId>,
    /// Leases on the link with this number or name
    #[arg(long, value_name = "LINK")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Leases in one of these states; none is any.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<State>,
}

/// What became of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The client's
    Active,
    /// Given back, and remembered
    Released,
    /// Run out, and remembered
    Expired,
    /// Found in use by somebody else, and resting
    Declined,
}

impl From<LeaseState> for State {
    fn from(state: LeaseState) -> Self {
        match state {
            LeaseState::Active => Self::Active,
            LeaseState::Released => Self::Released,
            LeaseState::Expired => Self::Expired,
            LeaseState::Declined => Self::Declined,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Declined => "declined",
        })
    }
}

impl Filter {
    /// Whether it means every lease there is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// As on the command line.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, address, client, relay_id, remote_id, link, states } = self;
        let said: [Said<'_>; 6] = [
            ("prefix", prefix.as_ref().map(|value| value as _)),
            ("address", address.as_ref().map(|value| value as _)),
            ("client", client.as_ref().map(|value| value as _)),
            ("relay-id", relay_id.as_ref().map(|value| value as _)),
            ("remote-id", remote_id.as_ref().map(|value| value as _)),
            ("link", link.as_ref().map(|value| value as _)),
        ];
        write_said(f, said, states)
    }
}

/// What may be said of what is meant: by which name, and what.
pub(super) type Said<'a> = (&'static str, Option<&'a dyn fmt::Display>);

/// Writes what is said as on the command line; in quotes, on one line, what would be something else there.
pub(super) fn write_said<'a>(
    f: &mut fmt::Formatter<'_>,
    said: impl IntoIterator<Item = Said<'a>>,
    states: &'a [impl fmt::Display],
) -> fmt::Result {
    let said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let states = states.iter().map(|state| ("state", state as &dyn fmt::Display));
    for (index, (name, value)) in said.chain(states).enumerate() {
        let space = if index == 0 { "" } else { " " };
        let value = value.to_string();
        if is_plain_word(&value) {
            write!(f, "{space}--{name} {value}")?;
        } else {
            write!(f, "{space}--{name}={value:?}")?;
        }
    }
    Ok(())
}

/// Whether a shell and a command take it as it is, and a log as well.
fn is_plain_word(value: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"'\\".contains(c);
    !value.is_empty() && !value.starts_with('-') && value.chars().all(is_plain)
}

/// What is written as text in JSON.
pub(super) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::control) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::control) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_comes_through_as_json_and_reads_like_a_command() {
        let filter = Filter {
            prefix: Some("2001:db8::/32".parse().unwrap()),
            client: Some("00:03:00:01:02:00:00:00:aa:01".parse().unwrap()),
            remote_id: Some("32473:7037".parse().unwrap()),
            link: Some("north".to_owned()),
            states: vec![State::Released],
            ..Filter::default()
        };
        let json = serde_json::to_string(&filter).unwrap();
        assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
        assert_eq!(
            filter.to_string(),
            "--prefix 2001:db8::/32 --client 00:03:00:01:02:00:00:00:aa:01 --remote-id 32473:7037 \
             --link north --state released"
        );
        assert_eq!(serde_json::to_string(&Filter::default()).unwrap(), "{}");
        assert!(serde_json::from_str::<Filter>("{}").unwrap().is_empty());
    }

    // What somebody asks for is logged, and a name can be anything: it must not look like another option, nor like
    // another line.
    #[test]
    fn a_name_that_is_no_plain_word_is_shown_in_quotes() {
        for (link, shown) in [
            ("north side", "--link=\"north side\""),
            ("-1", "--link=\"-1\""),
            ("a\nb", "--link=\"a\\nb\""),
            ("", "--link=\"\""),
            ("ge-0/0/7", "--link ge-0/0/7"),
        ] {
            let filter = Filter { link: Some(link.to_owned()), ..Filter::default() };
            assert_eq!(filter.to_string(), shown);
        }
    }

    #[test]
    fn a_filter_that_is_not_understood_is_refused_as_a_whole() {
        for json in [r#"{"colour":"red"}"#, r#"{"prefix":"2001:db8::1/32"}"#, r#"{"client":"00"}"#] {
            assert!(serde_json::from_str::<Filter>(json).is_err(), "{json}");
        }
    }
}
