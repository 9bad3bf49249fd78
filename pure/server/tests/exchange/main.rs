//! DHCP exchanges as clients and relays see them: octets in, octets out, and the time is whatever
//! a scenario says it is. No socket is opened, nothing sleeps.

mod clients;
mod confirm;
mod decline;
mod exclusion;
mod expiry;
mod hints;
mod information;
mod kit;
mod limits;
mod link;
mod memory;
mod options;
mod properties;
mod rebind;
mod reconfigure;
mod release;
mod renew;
mod reply_path;
mod request;
mod solicit;
mod supplied;
mod times;
mod validation;
