//! How long a requestor waits before it tries again.

use std::time::Duration;

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

// BLQ-R-04
#[test]
fn a_server_that_refuses_is_tried_again_at_the_slowest_pace() {
    let (first, ceiling) = (Duration::from_millis(10), Duration::from_millis(80));
    let (mut backoff, mut chance) = (Backoff::between(first, ceiling), Chance::from_seed(3));
    backoff.refused();
    assert!((ceiling..=ceiling * 2).contains(&backoff.next_wait(&mut chance)));
    backoff.succeeded();
    assert!((first..first * 2).contains(&backoff.next_wait(&mut chance)));
}
