//! The command line of Leasehold.
fn main() {}
