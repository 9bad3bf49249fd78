//! One route a row.

use super::delegations::with_reason;
use super::output::Form;
use crate::control::{Route, RouteKind};

pub(super) const FORM: Form<Route> = Form {
    key: Some("routes"),
    head: &["destination", "via", "interface", "state", "protocol", "metric", "table"],
    rows,
};

fn rows(route: &Route, rows: &mut Vec<Vec<String>>) {
    let via = match route.kind {
        RouteKind::Unreachable => "unreachable".to_owned(),
        RouteKind::Unicast => route.via.map(|via| via.to_string()).unwrap_or_default(),
    };
    rows.push(vec![
        route.destination.clone(),
        via,
        route.interface.clone().unwrap_or_default(),
        with_reason(route.state, route.why.as_deref()),
        route.protocol.to_string(),
        route.metric.to_string(),
        route.table.to_string(),
    ]);
}
