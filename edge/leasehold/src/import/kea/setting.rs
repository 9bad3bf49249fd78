//! What one scope of the configuration hands on to those inside it.

use super::json::ConfigError;
use super::options::{OptionReader, OptionSet};
use super::scope::{Remarks, Scope};
use super::timing::Timing;

/// What is inherited from scope to scope.
#[derive(Debug, Clone, Default)]
pub(super) struct Setting<'v> {
    pub(super) timing: Timing<'v>,
    pub(super) options: OptionSet,
    /// Whether reservations that belong to no subnet count.
    pub(super) global_reservations: Option<bool>,
    /// Whether reservations of a subnet count.
    pub(super) subnet_reservations: Option<bool>,
}

impl<'v> Setting<'v> {
    pub(super) fn read(
        at: &Scope<'v>,
        around: &Self,
        options: &mut OptionReader,
        remarks: &mut Remarks,
    ) -> Result<Self, ConfigError> {
        let (global, in_subnet) = match at.text("reservation-mode")? {
            None => (None, None),
            Some("global") => (Some(true), Some(false)),
            Some("disabled" | "off") => (Some(false), Some(false)),
            Some(_) => (Some(false), Some(true)),
        };
        let global = at.boolean("reservations-global")?.or(global);
        let in_subnet = at.boolean("reservations-in-subnet")?.or(in_subnet);
        Ok(Self {
            timing: Timing::read(at, &around.timing)?,
            options: options.read(at, &around.options, remarks)?,
            global_reservations: global.or(around.global_reservations),
            subnet_reservations: in_subnet.or(around.subnet_reservations),
        })
    }
}
