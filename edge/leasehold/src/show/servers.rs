//! One server a row; what belongs together shares a cell.

use super::output::{Form, duration};
use crate::control::{Server, ServerState};

pub(super) const FORM: Form<Server> = Form {
    key: Some("servers"),
    head: &["server", "asked", "state", "told all", "has told", "messages", "what is wrong"],
    rows,
};

fn rows(server: &Server, rows: &mut Vec<Vec<String>>) {
    let name = if server.name == server.address { String::new() } else { format!("{}\n", server.name) };
    let at = server.leasequery_address.as_ref().map(|at| format!("at {at}"));
    let by = server.method.as_ref().map(|method| format!("by {method}"));
    let asked: Vec<String> = at.into_iter().chain(by).collect();
    rows.push(vec![
        name + &server.address,
        asked.join("\n"),
        state(server),
        server.last_success_secs.map_or("never".into(), |secs| duration(secs) + " ago"),
        format!("{} clients\n{} leases", server.clients, server.leases),
        format!("{} forwarded\n{} replies", server.forwarded, server.replies),
        server.last_error.clone().unwrap_or_default(),
    ]);
}

fn state(server: &Server) -> String {
    if server.state == ServerState::NotAsked {
        return server.state.to_string();
    }
    let mut state = vec![format!("{} for {}", server.state, duration(server.since_secs))];
    if server.failed_attempts > 0 {
        state.push(format!("failed {} times", server.failed_attempts));
    }
    if let Some(secs) = server.next_attempt_secs {
        state.push(format!("next in {}", duration(secs)));
    }
    state.join("\n")
}
