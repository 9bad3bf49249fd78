//! Learning again from the servers what was delegated before this program began.
//!
//! Every server is asked, one [`Method`] after the other until one finds something, and what it tells
//! of a client becomes a [`crate::Delegation`] by way of our own hop in the client's relay path, or is
//! listed as [`Unplaced`]. A recovery is an [`Epoch`]: only when every server has said all that it
//! knows in one and the same epoch may silence be taken for an answer ([`Recovery::may_sweep`]).
//! A server that cannot be reached, stops midway or refuses is asked again and again, and until it
//! has answered its silence means nothing.
//!
//! [`Recovery`] is what is known of all servers; an [`Attempt`] is one connection with one of them. The
//! caller carries octets between sockets and attempts.

mod answer;
mod attempt;
mod overview;
mod place;
mod questions;
mod server;
mod state;
mod unplaced;

pub use answer::{Source, Territory, delegations_of};
pub use attempt::{Attempt, Why};
pub use overview::{Completeness, Progress, ServerView, State};
pub use place::{NoPlace, Placed, place};
pub use questions::{About, Inquiry, Method, inquiries};
pub use server::{Phase, Tally, Trouble};
pub use state::{Epoch, Next, Recovery, Summary, Terms};
pub use unplaced::Unplaced;
