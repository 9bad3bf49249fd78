//! What survives: the embedded store, and import from other servers.
