//! `--now`: the moment as of which a file is read.

use std::str::FromStr;

use anyhow::anyhow;

/// Which moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Seconds since 1970.
    UnixSecs(u64),
    /// When the lease file was last written.
    FileWritten,
}

impl FromStr for Moment {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "file" {
            return Ok(Self::FileWritten);
        }
        if let Ok(unix_secs) = text.parse() {
            return Ok(Self::UnixSecs(unix_secs));
        }
        let wanted = "write `file`, seconds since 1970, or a time such as 2026-11-23T12:00:00Z";
        let time: jiff::Timestamp = text.parse().map_err(|_| anyhow!("{wanted}"))?;
        let unix_secs = time.as_second().try_into().map_err(|_| anyhow!("{text} is before 1970"))?;
        Ok(Self::UnixSecs(unix_secs))
    }
}

/// A moment as people write it; as a number if it is too far away for that.
pub(crate) fn rfc_3339(unix_secs: u64) -> String {
    let time = i64::try_from(unix_secs).ok().and_then(|secs| jiff::Timestamp::from_second(secs).ok());
    time.map_or_else(|| unix_secs.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_word_a_number_or_a_date() {
        let moment = |text: &str| text.parse::<Moment>().ok();
        assert_eq!(moment("file"), Some(Moment::FileWritten));
        assert_eq!(moment("1795426969"), Some(Moment::UnixSecs(1_795_426_969)));
        assert_eq!(moment("2026-11-23T09:42:49Z"), Some(Moment::UnixSecs(1_795_426_969)));
        assert_eq!(moment("2026-11-23T10:42:49+01:00"), Some(Moment::UnixSecs(1_795_426_969)));
        for text in ["", "now", "-1", "2026-11-23", "2026-11-23T09:42:49", "1960-01-01T00:00:00Z"] {
            assert_eq!(moment(text), None, "{text}");
        }
        assert_eq!(rfc_3339(1_795_426_969), "2026-11-23T09:42:49Z");
    }
}
