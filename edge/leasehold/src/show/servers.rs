//! One server a row.

use super::output::{Form, duration};
use crate::control::{Server, ServerState};

pub(super) const FORM: Form<Server> = Form {
    key: Some("servers"),
    head: &[
        "server",
        "address",
        "asked at",
        "by",
        "state",
        "told all",
        "clients",
        "leases",
        "forwarded",
        "replies",
        "last error",
    ],
    rows,
};

fn rows(server: &Server, rows: &mut Vec<Vec<String>>) {
    rows.push(vec![
        server.name.clone(),
        server.address.clone(),
        server.leasequery_address.clone().unwrap_or_default(),
        server.method.clone().unwrap_or_default(),
        state(server),
        server.last_success_secs.map_or("never".into(), |secs| duration(secs) + " ago"),
        server.clients.to_string(),
        server.leases.to_string(),
        server.forwarded.to_string(),
        server.replies.to_string(),
        server.last_error.clone().unwrap_or_default(),
    ]);
}

fn state(server: &Server) -> String {
    if server.state == ServerState::NotAsked {
        return server.state.to_string();
    }
    let mut state = format!("{} for {}", server.state, duration(server.since_secs));
    if server.failed_attempts > 0 {
        state += &format!(", failed {} times", server.failed_attempts);
    }
    if let Some(secs) = server.next_attempt_secs {
        state += &format!(", next in {}", duration(secs));
    }
    state
}
