//! How long a requestor waits before it tries again.

use requestor::{Backoff, limits};
use world::Chance;

// BLQ-R-02, BLQ-R-04
#[test]
fn waits_grow_to_a_ceiling_and_are_never_all_the_same() {
    let (mut backoff, mut chance) = (Backoff::default(), Chance::from_seed(3));
    let waits: Vec<_> = (0..12).map(|_| backoff.next_wait(&mut chance).as_secs_f64()).collect();
    for (wait, step) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0])
    {
        assert!((step..=step * 1.1).contains(wait), "{waits:?}");
    }
    assert_ne!(waits[10], waits[11]);
    backoff.succeeded();
    assert!(backoff.next_wait(&mut chance) < limits::BACKOFF_FIRST * 2);
}

// BLQ-R-25
#[test]
fn after_query_terminated_the_first_wait_is_five_seconds() {
    let (mut backoff, mut chance) = (Backoff::default(), Chance::from_seed(3));
    backoff.terminated();
    assert!(backoff.next_wait(&mut chance).as_secs() >= 5);
    assert!(backoff.next_wait(&mut chance).as_secs() >= 10);
}
