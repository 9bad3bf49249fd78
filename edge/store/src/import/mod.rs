//! Taking over what another server knows: its links and its clients, as of one moment.

pub mod kea;
