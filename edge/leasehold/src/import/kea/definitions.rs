//! What options there are, by space, name and code, and what their data is made of: those that every Kea
//! knows, and those that a configuration defines.

use std::collections::HashMap;

use super::json::ConfigError;
use super::keys;
use super::scope::{Remarks, Scope};

/// The space of options that stand in a message itself.
pub(super) const DHCP6: &str = "dhcp6";
const DOCSIS: &str = "vendor-4491";
const MAP_E: &str = "s46-cont-mape-options";
const MAP_T: &str = "s46-cont-mapt-options";
const LW4O6: &str = "s46-cont-lw-options";
const RULE: &str = "s46-rule-options";
const BIND: &str = "s46-v4v6bind-options";

/// What one field of an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// Nothing.
    Empty,
    /// Octets, in hexadecimal.
    Binary,
    /// `true` or `false`: an octet.
    Boolean,
    /// A number of so many octets, not negative.
    Unsigned(u8),
    /// A number of so many octets.
    Signed(u8),
    Ipv4,
    Ipv6,
    /// A prefix: its length and so many of its octets as that takes.
    Prefix,
    /// A port set (RFC 7597).
    PortSet,
    /// Characters up to the end.
    Text,
    /// Characters with their number before them.
    Tuple,
    /// A domain name.
    Name,
}

use Field::{Binary, Boolean, Empty, Ipv4, Ipv6, Name, PortSet, Signed, Text, Tuple, Unsigned};

const U8: Field = Unsigned(1);
const U16: Field = Unsigned(2);
const U32: Field = Unsigned(4);

/// What an option is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) code: u16,
    /// In order; at least one.
    pub(super) fields: Vec<Field>,
    /// The last field may be there several times.
    pub(super) array: bool,
    /// The space of the options that stand in it, behind its fields.
    pub(super) encapsulates: Option<String>,
}

type Standard = (&'static str, &'static str, u16, &'static [Field], bool, &'static str);

/// Space, name, code, fields, whether the last is an array, and the space inside.
const STANDARD: &[Standard] = &[
    (DHCP6, "preference", 7, &[U8], false, ""),
    (DHCP6, "unicast", 12, &[Ipv6], false, ""),
    (DHCP6, "rapid-commit", 14, &[Empty], false, ""),
    (DHCP6, "user-class", 15, &[Binary], false, ""),
    (DHCP6, "vendor-class", 16, &[U32, Binary], false, ""),
    (DHCP6, "vendor-opts", 17, &[U32], false, ""),
    (DHCP6, "reconf-accept", 20, &[Empty], false, ""),
    (DHCP6, "sip-server-dns", 21, &[Name], true, ""),
    (DHCP6, "sip-server-addr", 22, &[Ipv6], true, ""),
    (DHCP6, "dns-servers", 23, &[Ipv6], true, ""),
    (DHCP6, "domain-search", 24, &[Name], true, ""),
    (DHCP6, "nis-servers", 27, &[Ipv6], true, ""),
    (DHCP6, "nisp-servers", 28, &[Ipv6], true, ""),
    (DHCP6, "nis-domain-name", 29, &[Name], true, ""),
    (DHCP6, "nisp-domain-name", 30, &[Name], true, ""),
    (DHCP6, "sntp-servers", 31, &[Ipv6], true, ""),
    (DHCP6, "information-refresh-time", 32, &[U32], false, ""),
    (DHCP6, "bcmcs-server-dns", 33, &[Name], true, ""),
    (DHCP6, "bcmcs-server-addr", 34, &[Ipv6], true, ""),
    (DHCP6, "geoconf-civic", 36, &[U8, U16, Binary], false, ""),
    (DHCP6, "remote-id", 37, &[U32, Binary], false, ""),
    (DHCP6, "subscriber-id", 38, &[Binary], false, ""),
    (DHCP6, "client-fqdn", 39, &[U8, Name], false, ""),
    (DHCP6, "pana-agent", 40, &[Ipv6], true, ""),
    (DHCP6, "new-posix-timezone", 41, &[Text], false, ""),
    (DHCP6, "new-tzdb-timezone", 42, &[Text], false, ""),
    (DHCP6, "ero", 43, &[U16], true, ""),
    (DHCP6, "v6-lost", 51, &[Name], false, ""),
    (DHCP6, "capwap-ac-v6", 52, &[Ipv6], true, ""),
    (DHCP6, "relay-id", 53, &[Binary], false, ""),
    (DHCP6, "v6-access-domain", 57, &[Name], false, ""),
    (DHCP6, "sip-ua-cs-list", 58, &[Name], true, ""),
    (DHCP6, "bootfile-url", 59, &[Text], false, ""),
    (DHCP6, "bootfile-param", 60, &[Tuple], true, ""),
    (DHCP6, "client-arch-type", 61, &[U16], true, ""),
    (DHCP6, "nii", 62, &[U8, U8, U8], false, ""),
    (DHCP6, "aftr-name", 64, &[Name], false, ""),
    (DHCP6, "erp-local-domain-name", 65, &[Name], false, ""),
    (DHCP6, "rsoo", 66, &[Empty], false, "rsoo-opts"),
    (DHCP6, "pd-exclude", 67, &[Field::Prefix], false, ""),
    (DHCP6, "rdnss-selection", 74, &[Ipv6, U8, Name], true, ""),
    (DHCP6, "client-linklayer-addr", 79, &[Binary], false, ""),
    (DHCP6, "link-address", 80, &[Ipv6], false, ""),
    (DHCP6, "solmax-rt", 82, &[U32], false, ""),
    (DHCP6, "inf-max-rt", 83, &[U32], false, ""),
    (DHCP6, "dhcp4o6-server-addr", 88, &[Ipv6], true, ""),
    (DHCP6, "s46-cont-mape", 94, &[Empty], false, MAP_E),
    (DHCP6, "s46-cont-mapt", 95, &[Empty], false, MAP_T),
    (DHCP6, "s46-cont-lw", 96, &[Empty], false, LW4O6),
    (DHCP6, "v6-captive-portal", 103, &[Text], false, ""),
    (DHCP6, "v6-sztp-redirect", 136, &[Tuple], true, ""),
    (DHCP6, "ipv6-address-andsf", 143, &[Ipv6], true, ""),
    (MAP_E, "s46-rule", 89, &[U8, U8, U8, Ipv4, Field::Prefix], false, RULE),
    (MAP_E, "s46-br", 90, &[Ipv6], false, ""),
    (MAP_T, "s46-rule", 89, &[U8, U8, U8, Ipv4, Field::Prefix], false, RULE),
    (MAP_T, "s46-dmr", 91, &[Field::Prefix], false, ""),
    (LW4O6, "s46-br", 90, &[Ipv6], false, ""),
    (LW4O6, "s46-v4v6bind", 92, &[Ipv4, Field::Prefix], false, BIND),
    (RULE, "s46-portparams", 93, &[U8, PortSet], false, ""),
    (BIND, "s46-portparams", 93, &[U8, PortSet], false, ""),
    (DOCSIS, "oro", 1, &[U16], true, ""),
    (DOCSIS, "device-type", 2, &[Text], false, ""),
    (DOCSIS, "vendor-type", 10, &[Text], false, ""),
    (DOCSIS, "tftp-servers", 32, &[Ipv6], true, ""),
    (DOCSIS, "config-file", 33, &[Text], false, ""),
    (DOCSIS, "syslog-servers", 34, &[Ipv6], true, ""),
    (DOCSIS, "time-servers", 37, &[Ipv6], true, ""),
    (DOCSIS, "time-offset", 38, &[Signed(4)], false, ""),
];

/// Every definition, by space and name.
#[derive(Debug)]
pub(super) struct Definitions {
    by_name: HashMap<(String, String), Definition>,
    /// The names of the codes of each space.
    by_code: HashMap<(String, u16), String>,
}

impl Definitions {
    /// Those that every Kea knows, and those of this configuration. One that is not understood is reported.
    pub(super) fn read(dhcp6: &Scope<'_>, remarks: &mut Remarks) -> Result<Self, ConfigError> {
        let mut all = Self { by_name: HashMap::new(), by_code: HashMap::new() };
        for (space, name, code, fields, array, inside) in STANDARD {
            let encapsulates = (!inside.is_empty()).then(|| (*inside).to_owned());
            let definition = Definition { code: *code, fields: fields.to_vec(), array: *array, encapsulates };
            all.add(space, name, definition);
        }
        for at in dhcp6.list("option-def")? {
            keys::report(&at, keys::DEFINITION, remarks);
            let space = at.text("space")?.unwrap_or(DHCP6);
            let (name, code) = (at.text("name")?.unwrap_or_default(), at.number("code")?.unwrap_or(0));
            match fields(&at)? {
                Ok(fields) => {
                    let inside = at.text("encapsulate")?.filter(|inside| !inside.is_empty());
                    let encapsulates = inside.map(str::to_owned);
                    let array = at.boolean("array")?.unwrap_or(false);
                    all.add(space, name, Definition { code, fields, array, encapsulates });
                }
                Err(unknown) => {
                    remarks.not_translated(&at, format!("there is no type `{unknown}` for an option here"));
                }
            }
        }
        Ok(all)
    }

    /// The first definition of a name or a code counts.
    fn add(&mut self, space: &str, name: &str, definition: Definition) {
        self.by_code.entry((space.to_owned(), definition.code)).or_insert_with(|| name.to_owned());
        self.by_name.entry((space.to_owned(), name.to_owned())).or_insert(definition);
    }

    /// Whether the options of a space stand in another.
    pub(super) fn carries(&self, space: &str) -> bool {
        self.by_name.values().any(|definition| definition.encapsulates.as_deref() == Some(space))
    }

    pub(super) fn by_name(&self, space: &str, name: &str) -> Option<&Definition> {
        self.by_name.get(&(space.to_owned(), name.to_owned()))
    }

    pub(super) fn by_code(&self, space: &str, code: u16) -> Option<&Definition> {
        self.by_name(space, self.by_code.get(&(space.to_owned(), code))?)
    }
}

/// The fields of a definition, or the type that is not known.
fn fields(at: &Scope<'_>) -> Result<Result<Vec<Field>, String>, ConfigError> {
    let kind = at.text("type")?.unwrap_or_default();
    let types: Vec<&str> = match kind {
        "record" => at.text("record-types")?.unwrap_or_default().split(',').map(str::trim).collect(),
        _ => vec![kind],
    };
    Ok(types.into_iter().map(|name| field(name).ok_or_else(|| name.to_owned())).collect())
}

fn field(name: &str) -> Option<Field> {
    Some(match name {
        "empty" => Empty,
        "binary" => Binary,
        "boolean" => Boolean,
        "uint8" => U8,
        "uint16" => U16,
        "uint32" => U32,
        "int8" => Signed(1),
        "int16" => Signed(2),
        "int32" => Signed(4),
        "ipv4-address" => Ipv4,
        "ipv6-address" => Ipv6,
        "ipv6-prefix" => Field::Prefix,
        "psid" => PortSet,
        "string" => Text,
        "tuple" => Tuple,
        "fqdn" => Name,
        _ => return None,
    })
}
