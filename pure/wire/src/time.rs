//! Time as DHCPv6 writes it.

/// A lifetime that never ends; also T1 and T2 of "never" (RFC 8415 §7.7). Seconds like any other
/// lifetime, but never counted down.
pub const INFINITE: u32 = u32::MAX;

/// Seconds between 1970-01-01 and 2000-01-01, the epoch of RFC 7653 §6.3.1 and of DUID-LLT.
const EPOCH_2000_UNIX_SECS: u64 = 946_684_800;

/// Seconds since 2000-01-01T00:00:00Z modulo 2^32 (RFC 7653 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AbsoluteTime(pub u32);

impl AbsoluteTime {
    /// From seconds since 1970.
    pub fn from_unix_secs(unix_secs: u64) -> Self {
        Self(unix_secs.wrapping_sub(EPOCH_2000_UNIX_SECS) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_the_year_2000_and_wraps() {
        assert_eq!(AbsoluteTime::from_unix_secs(EPOCH_2000_UNIX_SECS), AbsoluteTime(0));
        assert_eq!(AbsoluteTime::from_unix_secs(EPOCH_2000_UNIX_SECS + (1 << 32) + 7), AbsoluteTime(7));
    }
}
