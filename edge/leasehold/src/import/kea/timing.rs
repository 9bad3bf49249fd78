//! Lifetimes and timers: what a link says, over what is said around it.
//!
//! Kea leaves more open than a client may be told, and settles it when it answers: a preferred lifetime that
//! is missing, zero or longer than the valid one becomes five eighths of it (in Kea 3: 2.2 took 3600 seconds
//! for a missing one); T1 and T2 that are not given are
//! shares of the preferred lifetime; a T1 that is not before T2 becomes 0, which leaves it to the client. It
//! is settled here in the same way.

use server::exchange::LinkTerms;

use super::json::ConfigError;
use super::scope::{Remarks, Scope};

/// Kea's valid lifetime where none is given.
const VALID_SECS: u32 = 7200;
/// Kea's T1 and T2 as shares of the preferred lifetime. Ours are the same.
const T1_SHARE: f64 = 0.5;
const T2_SHARE: f64 = 0.8;
/// Kea 2.2 and Kea 3 differ.
const NO_PREFERRED: &str = "there is not everywhere a `preferred-lifetime`: then it is five eighths of the valid \
                            one, as in Kea 3; Kea 2.2 made it 3600 seconds";

/// What one scope and those around it say.
#[derive(Debug, Clone, Default)]
pub(super) struct Timing<'v> {
    preferred_secs: Option<u32>,
    valid_secs: Option<u32>,
    renew: Option<(u32, Scope<'v>)>,
    rebind: Option<(u32, Scope<'v>)>,
    calculates: Option<bool>,
    t1_share: Option<f64>,
    t2_share: Option<f64>,
    pub(super) rapid_commit: Option<bool>,
}

impl<'v> Timing<'v> {
    /// What a scope says over what is said around it.
    pub(super) fn read(at: &Scope<'v>, around: &Self) -> Result<Self, ConfigError> {
        let timer = |key: &str| -> Result<Option<(u32, Scope<'v>)>, ConfigError> {
            Ok(at.number(key)?.zip(at.member(key)))
        };
        Ok(Self {
            preferred_secs: at.number("preferred-lifetime")?.or(around.preferred_secs),
            valid_secs: at.number("valid-lifetime")?.or(around.valid_secs),
            renew: timer("renew-timer")?.or_else(|| around.renew.clone()),
            rebind: timer("rebind-timer")?.or_else(|| around.rebind.clone()),
            calculates: at.boolean("calculate-tee-times")?.or(around.calculates),
            t1_share: at.share("t1-percent")?.or(around.t1_share),
            t2_share: at.share("t2-percent")?.or(around.t2_share),
            rapid_commit: at.boolean("rapid-commit")?.or(around.rapid_commit),
        })
    }

    /// The terms of a link, without options.
    pub(super) fn terms(&self, remarks: &mut Remarks) -> LinkTerms {
        let valid_secs = self.valid_secs.filter(|secs| *secs > 0).unwrap_or(VALID_SECS);
        let sane = |secs: &u32| (1..=valid_secs).contains(secs);
        let computed = (u64::from(valid_secs) * 5 / 8) as u32;
        if self.preferred_secs.is_none() {
            remarks.warn_once(NO_PREFERRED);
        }
        let preferred_secs = self.preferred_secs.filter(sane).unwrap_or(computed);
        let calculated = |share: Option<f64>, usual: f64| match (self.calculates, share.unwrap_or(usual)) {
            (Some(false), _) => Some(0),
            (_, share) if share == usual => None,
            (_, share) => Some((f64::from(preferred_secs) * share).round() as u32),
        };
        let mut timer = |given: &Option<(u32, Scope<'v>)>, computed: Option<u32>| match given {
            Some((secs, at)) if *secs > valid_secs => {
                remarks.not_translated(at, "is longer than the valid lifetime: the usual share of it counts");
                None
            }
            Some((secs, _)) => Some(*secs),
            None => computed,
        };
        let t1_secs = timer(&self.renew, calculated(self.t1_share, T1_SHARE));
        let t2_secs = timer(&self.rebind, calculated(self.t2_share, T2_SHARE));
        let share =
            |secs: Option<u32>, share: f64| secs.unwrap_or((f64::from(preferred_secs) * share) as u32);
        let in_order = share(t1_secs, T1_SHARE) < share(t2_secs, T2_SHARE);
        LinkTerms {
            preferred_secs,
            valid_secs,
            t1_secs: if in_order { t1_secs } else { Some(0) },
            t2_secs,
            rapid_commit: self.rapid_commit.unwrap_or(false),
            ..LinkTerms::default()
        }
    }
}

/// Reports where a subnet of a shared network has other terms than its first one, which speaks for the link.
pub(super) fn report_differences(
    subnet: &Scope<'_>,
    terms: &LinkTerms,
    link: &LinkTerms,
    remarks: &mut Remarks,
) {
    let secs = |secs: Option<u32>| secs.map_or(serde_json::Value::Null, Into::into);
    for (key, here, there) in [
        ("valid-lifetime", secs(Some(terms.valid_secs)), secs(Some(link.valid_secs))),
        ("preferred-lifetime", secs(Some(terms.preferred_secs)), secs(Some(link.preferred_secs))),
        ("renew-timer", secs(terms.t1_secs), secs(link.t1_secs)),
        ("rebind-timer", secs(terms.t2_secs), secs(link.t2_secs)),
        ("rapid-commit", terms.rapid_commit.into(), link.rapid_commit.into()),
    ] {
        if here != there {
            let at = Scope { value: subnet.value, path: format!("{}.{key}", subnet.path) };
            let usual = if there.is_null() { "what is usual".to_owned() } else { there.to_string() };
            let reason = format!("a shared network is one link: that of its first subnet counts, {usual}");
            remarks.instead(&at, here, reason);
        }
    }
}
