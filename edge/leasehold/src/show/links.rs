//! One pool a row; a link without pools has one row, too.

use super::output::Form;
use crate::control::{Link, Pool, PoolRange};

pub(super) const FORM: Form<Link> = Form {
    key: Some("links"),
    head: &["link", "name", "prefixes", "interfaces", "pool", "size", "assigned", "declined"],
    rows,
};

fn rows(link: &Link, rows: &mut Vec<Vec<String>>) {
    let about =
        [link.link.to_string(), link.name.clone(), link.prefixes.join("\n"), link.interfaces.join("\n")];
    let pools = link.pools.iter().map(pool);
    let none = link.pools.is_empty().then_some([const { String::new() }; 4]);
    for (index, pool) in pools.chain(none).enumerate() {
        let about = if index == 0 { about.clone() } else { [const { String::new() }; 4] };
        rows.push(about.into_iter().chain(pool).collect());
    }
}

fn pool(pool: &Pool) -> [String; 4] {
    let range = match &pool.range {
        PoolRange::Address { first, last } => format!("{first} - {last}"),
        PoolRange::Prefix { prefix, delegated_length } => format!("{prefix} by /{delegated_length}"),
    };
    let size = if pool.size == u64::MAX { "2^64".to_owned() } else { pool.size.to_string() };
    [range, size, pool.assigned.to_string(), pool.declined.to_string()]
}
