//! The project's own tasks: tests, benches, requirements.
fn main() {}
