//! Every option that a transcript can write in the field's own words: its fields in the order in which they are
//! sent, and what may be inside.
//!
//! In a transcript the fields without a word of their own come first, then those with one, in any order. An option
//! that is not here is written as octets: `option 65001 0x0102`.

use wire::OptionCode;

use super::value::Kind;

/// An option.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) code: OptionCode,
    pub(super) fields: &'static [Field],
    pub(super) inside: Inside,
}

/// A field of it.
#[derive(Debug)]
pub(super) struct Field {
    /// The word before it; none if empty.
    pub(super) word: &'static str,
    pub(super) kind: Kind,
}

/// What follows the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    Nothing,
    Options,
    /// A whole message.
    Message,
}

macro_rules! shapes {
    ($($code:ident [$($word:literal $kind:ident),*] $inside:ident;)*) => {
        const SHAPES: &[Shape] = &[$(Shape {
            code: OptionCode::$code,
            fields: &[$(Field { word: $word, kind: Kind::$kind }),*],
            inside: Inside::$inside,
        }),*];
    };
}

shapes! {
    CLIENTID ["" Duid] Nothing;
    SERVERID ["" Duid] Nothing;
    IA_NA ["" U32, "t1" Secs, "t2" Secs] Options;
    IA_TA ["" U32] Options;
    IAADDR ["" Address, "preferred" Secs, "valid" Secs] Options;
    ORO ["" Codes] Nothing;
    PREFERENCE ["" U8] Nothing;
    ELAPSED_TIME ["" U16] Nothing;
    RELAY_MSG [] Message;
    AUTH ["protocol" U8, "algorithm" U8, "rdm" U8, "replay" U64, "information" Octets] Nothing;
    UNICAST ["" Address] Nothing;
    STATUS_CODE ["" Status, "" Text] Nothing;
    RAPID_COMMIT [] Nothing;
    USER_CLASS ["" Chunks] Nothing;
    VENDOR_CLASS ["" U32, "" Chunks] Nothing;
    VENDOR_OPTS ["" U32, "" Octets] Nothing;
    INTERFACE_ID ["" Octets] Nothing;
    RECONF_MSG ["" Message] Nothing;
    RECONF_ACCEPT [] Nothing;
    DNS_SERVERS ["" Addresses] Nothing;
    DOMAIN_LIST ["" Domains] Nothing;
    IA_PD ["" U32, "t1" Secs, "t2" Secs] Options;
    IAPREFIX ["preferred" Secs, "valid" Secs, "" Prefix] Options;
    SNTP_SERVERS ["" Addresses] Nothing;
    INFORMATION_REFRESH_TIME ["" Secs] Nothing;
    REMOTE_ID ["" U32, "" Octets] Nothing;
    SUBSCRIBER_ID ["" Octets] Nothing;
    ERO ["" Codes] Nothing;
    LQ_QUERY ["" Query, "link" Address] Options;
    CLIENT_DATA [] Options;
    CLT_TIME ["" U32] Nothing;
    LQ_RELAY_DATA ["" Address] Message;
    LQ_CLIENT_LINK ["" Addresses] Nothing;
    RELAY_ID ["" Duid] Nothing;
    AFTR_NAME ["" Domains] Nothing;
    ERP_LOCAL_DOMAIN_NAME ["" Domains] Nothing;
    RSOO [] Options;
    PD_EXCLUDE ["" Excluded] Nothing;
    CLIENT_LINKLAYER_ADDR ["" U16, "" Octets] Nothing;
    SOL_MAX_RT ["" Secs] Nothing;
    INF_MAX_RT ["" Secs] Nothing;
    LQ_BASE_TIME ["" U32] Nothing;
    LQ_START_TIME ["" U32] Nothing;
    LQ_END_TIME ["" U32] Nothing;
    RELAY_PORT ["" U16] Nothing;
}

/// The shape of an option, if it has one.
pub(super) fn shape(code: OptionCode) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.code == code)
}

/// The option of this name.
pub(super) fn named(name: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|shape| shape.code.name() == Some(name))
}

/// The names of all that have a shape.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().filter_map(|shape| shape.code.name())
}
