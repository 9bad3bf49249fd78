//! The relay as its neighbours see it: octets in, octets out, and the time is whatever a scenario
//! says it is. No socket is opened, nothing sleeps.

mod agent;
mod counters;
mod delegating;
mod deliver;
mod exchanges;
mod forward;
mod kit;
mod learning;
mod lightweight;
mod model;
mod path;
mod recovery;
mod remembering;
mod routes;
mod routes_model;
mod template;
#[path = "../../wire/tests/support/vectors.rs"]
mod vectors;
