//! A lease file of Kea: every line is a lease, the end of one, or reported as bad, and is counted
//! as one of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use store::import::kea::Summary;
use store::import::kea::leases::{Strictness, read_from};

fuzz_target!(|octets: &[u8]| {
    let mut summary = Summary::default();
    let Ok(leases) = read_from("fuzz", octets, Strictness::LeaveOut, &mut summary) else { return };
    let leases_once = summary.lines - summary.bad_lines - summary.deletions;
    assert_eq!(leases_once, leases.len() as u64 + summary.superseded);
    if read_from("fuzz", octets, Strictness::Stop, &mut Summary::default()).is_ok() {
        assert_eq!(summary.bad_lines, 0, "the first bad line should have ended the reading");
    }
});
