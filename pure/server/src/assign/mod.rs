//! Which address or prefix a client is given.

mod reservation;

pub use reservation::{Reservation, Subscriber};
