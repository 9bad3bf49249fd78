//! One query a row: those that are being answered, connections without any, and those that ended.

use super::output::{Form, duration};
use crate::control::{Connection, Ended, InWork, Query};

pub(super) const FORM: Form<Query> = Form {
    key: Some("queries"),
    head: &["requestor", "", "asked by", "sought", "clients", "leases", "octets", "status", "when"],
    rows,
};

fn rows(query: &Query, rows: &mut Vec<Vec<String>>) {
    match query {
        Query::Connection(connection) if connection.in_work.is_empty() => rows.push(idle(connection)),
        Query::Connection(connection) => {
            rows.extend(connection.in_work.iter().map(|query| in_work(connection, query)));
        }
        Query::Ended(query) => rows.push(ended(query)),
    }
}

fn idle(connection: &Connection) -> Vec<String> {
    let mut row = vec![connection.requestor.clone(), "tcp".to_owned()];
    row.extend(std::iter::repeat_n(String::new(), 5));
    row.extend(["connected".to_owned(), format!("for {}", duration(connection.open_secs))]);
    row
}

fn in_work(connection: &Connection, query: &InWork) -> Vec<String> {
    vec![
        connection.requestor.clone(),
        "tcp".to_owned(),
        query.query_type.clone(),
        query.sought.clone(),
        query.clients.to_string(),
        query.leases.to_string(),
        query.octets.to_string(),
        "in work".to_owned(),
        format!("for {}", duration(query.running_secs)),
    ]
}

fn ended(query: &Ended) -> Vec<String> {
    vec![
        query.requestor.clone(),
        query.transport.clone(),
        query.query_type.clone(),
        query.sought.clone(),
        query.clients.map(|clients| clients.to_string()).unwrap_or_default(),
        query.leases.to_string(),
        query.octets.to_string(),
        query.status.clone(),
        format!("{} ago, took {:.1} ms", duration(query.ended_secs), query.seconds * 1_000.0),
    ]
}
