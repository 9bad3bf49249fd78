//! Confirm and Information-request: no binding is needed, and none is changed (RFC 9915 §18.3.3,
//! §18.3.6).

use lease::{IaKind, Link, Resource};
use wire::StatusCode;

use super::association::asked;
use super::reply::Reply;
use crate::{Arrived, Discard};

/// Whether all addresses fit the link. Silence if there are none, or if it is not known what is on
/// the link: then nothing can be said.
pub(super) fn confirm(arrived: &Arrived<'_>, link: &Link) -> Result<Reply, Discard> {
    let asked = asked(arrived.message.options)?;
    let addresses = asked.iter().filter(|asked| asked.kind == IaKind::Address);
    let mut addresses =
        addresses.flat_map(|asked| asked.resources()).filter_map(|(it, _)| Resource::address(it));
    let on_link = |address| link.prefixes.iter().any(|prefix| prefix.contains(address));
    let first = addresses.next().filter(|_| !link.prefixes.is_empty()).ok_or(Discard::NothingToSay)?;
    let all = on_link(first) && addresses.all(on_link);
    let status = if all { StatusCode::SUCCESS } else { StatusCode::NOT_ON_LINK };
    Ok(Reply { status: Some(status), ..Reply::with(Vec::new()) })
}

/// Nothing but options, which every answer can have.
pub(super) fn information() -> Reply {
    Reply::with(Vec::new())
}
