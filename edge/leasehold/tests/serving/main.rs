//! `leasehold serve` as a program: started, killed, told to read its configuration anew, stopped. No root, no
//! interfaces: subscribers are simulated behind a relay on the loopback interface.

mod durable;
mod failure;
mod giving_back;
mod migration;
mod reload;
mod server;
mod subscriber;
