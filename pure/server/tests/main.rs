//! The server as a requestor sees it: octets in, octets out, and the time is whatever a scenario
//! says it is. No socket is opened, nothing sleeps.

mod admission;
mod assign;
mod common;
mod datagram;
mod framing;
mod parallel;
mod queries;
mod replies;
mod stability;
