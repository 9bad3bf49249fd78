//! The relay as its neighbours see it: octets in, octets out, and the time is whatever a scenario
//! says it is. No socket is opened, nothing sleeps.

mod template;
