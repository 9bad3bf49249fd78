//! Connections that were not kept, told together: the first at once, then as many as there were in each
//! [`TELL_INTERVAL`]. A line for each would let strangers fill the disk.

use std::net::SocketAddrV6;
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

/// How often they are told of: often enough to see that something goes on, and a page a minute at the most.
const TELL_INTERVAL: Duration = Duration::from_secs(10);

/// Why a connection was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// No rule lets its requestor ask.
    NotPermitted,
    /// All places were taken.
    NoPlace,
    /// It was let in, and later somebody else got its place.
    Displaced,
}

/// Those that were not told of yet.
#[derive(Debug, Default)]
pub(super) struct TurnedAway {
    not_permitted: u64,
    no_place: u64,
    displaced: u64,
    last: Option<SocketAddrV6>,
    quiet_until: Option<Instant>,
}

impl TurnedAway {
    /// Counts one, and tells of it if it is the first for a while.
    pub(super) fn note(&mut self, why: Why, requestor: SocketAddrV6, now: Instant) {
        *match why {
            Why::NotPermitted => &mut self.not_permitted,
            Why::NoPlace => &mut self.no_place,
            Why::Displaced => &mut self.displaced,
        } += 1;
        self.last = Some(requestor);
        self.tell(now);
    }

    /// When there will be something to tell.
    pub(super) fn to_tell(&self) -> Option<Instant> {
        self.last.and(self.quiet_until)
    }

    /// Tells what there is, if it is time.
    pub(super) fn tell(&mut self, now: Instant) {
        let Some(last) = self.last else { return };
        if self.quiet_until.is_some_and(|until| now < until) {
            return;
        }
        let Self { not_permitted, no_place, displaced, .. } = *self;
        info!(not_permitted, no_place, displaced, %last, "connections turned away");
        *self = Self { quiet_until: Some(now + TELL_INTERVAL), ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUESTOR: SocketAddrV6 = SocketAddrV6::new(std::net::Ipv6Addr::LOCALHOST, 1, 0, 0);

    // BLQ-S-70
    #[test]
    fn the_first_is_told_of_at_once_and_the_others_together() {
        let (mut turned_away, begin) = (TurnedAway::default(), Instant::now());
        assert_eq!(turned_away.to_tell(), None);
        turned_away.note(Why::NoPlace, REQUESTOR, begin);
        assert_eq!((turned_away.no_place, turned_away.to_tell()), (0, None), "it was told of");
        for millis in 0..9_999 {
            turned_away.note(Why::NotPermitted, REQUESTOR, begin + Duration::from_millis(millis));
        }
        turned_away.note(Why::Displaced, REQUESTOR, begin + Duration::from_millis(9_999));
        let counted = (turned_away.not_permitted, turned_away.no_place, turned_away.displaced);
        assert_eq!(counted, (9_999, 0, 1), "nothing more is told yet");
        let end = begin + TELL_INTERVAL;
        assert_eq!(turned_away.to_tell(), Some(end));
        turned_away.tell(end);
        assert_eq!((turned_away.not_permitted, turned_away.to_tell()), (0, None), "now they are");
    }
}
