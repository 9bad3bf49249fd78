//! Asking DHCPv6 servers for their bindings.
