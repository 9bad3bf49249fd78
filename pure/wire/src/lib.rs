//! DHCPv6 and leasequery messages: octets to nouns and back.
