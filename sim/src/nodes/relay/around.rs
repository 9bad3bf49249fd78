//! What a step of a relay's program can reach outside it.

use world::{Instant, Now};

use super::kernel::Kernel;
use super::notebook::Notebook;
use crate::nodes::NodeId;
use crate::universe::Outbox;

/// The machine around a program, at one moment.
pub(super) struct Around<'a> {
    pub(super) node: NodeId,
    pub(super) kernel: &'a mut Kernel,
    pub(super) notebook: &'a mut Notebook,
    /// What time it is for the program.
    pub(super) now: Now,
    /// What time it is in the universe, by which kernels go.
    pub(super) real: Instant,
    pub(super) out: &'a mut Outbox,
}
