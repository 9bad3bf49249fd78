//! The project's test vectors, as octets in hexadecimal. Those of TCP begin with the two octets of
//! their frame's size.
//!
//! Who is who: the relay and requestor is 00:03:00:01:02:00:00:00:aa:01, the server
//! 00:02:00:00:7e:d9:0c:c0:84:d3:03:00:09:12, the clients 00:03:00:01:02:00:00:00:01:01 and …:02;
//! link 1 is 2001:db8:1::/64, link 2 is 2001:db8:2::/64, and prefixes are delegated from
//! 2001:db8:f000::/40 as /56.

/// Every vector: its name and its octets.
pub(crate) const VECTORS: &[(&str, &str)] = &[
    // LEASEQUERY, QUERY_BY_RELAY_ID, any link, asking for relay data and base time
    (
        "V1",
        "00410e00 a0010001 000a0003 00010200 0000aa01 002c0025 03000000 00000000 \
         00000000 00000000 00003500 0a000300 01020000 00aa0100 06000200 2f000600 \
         020064",
    ),
    // LEASEQUERY, QUERY_BY_RELAY_ID, any link, minimal
    (
        "V1min",
        "00350e00 a0010001 000a0003 00010200 0000aa01 002c001f 03000000 00000000 \
         00000000 00000000 00003500 0a000300 01020000 00aa01",
    ),
    // LEASEQUERY-REPLY answering V1min: first client, one address and one /56
    (
        "V2",
        "00770f00 a0010001 000a0003 00010200 0000aa01 0002000e 00020000 7ed90cc0 \
         84d30300 0912002d 004f0001 000a0003 00010200 00000101 00050018 20010db8 \
         00010000 00000000 00000100 000004b0 00000708 001a0019 000004b0 00000708 \
         3820010d b8f00001 00000000 00000000 00002e00 04000002 58",
    ),
    // LEASEQUERY-DATA for the second client: a deprecated /56
    (
        "V3",
        "00991100 a001002d 00910001 000a0003 00010200 00000102 001a0019 00000000 \
         0000012c 3820010d b8f00002 00000000 00000000 00002e00 0400000c e4002f00 \
         5a20010d b8ffff00 00000000 00000000 010c0020 010db800 01000000 00000000 \
         000001fe 80000000 00000002 0000fffe 00010200 12000867 652d302f 302f3700 \
         25000a00 007ed970 6f72742d 37003500 0a000300 01020000 00aa01",
    ),
    // LEASEQUERY-DONE, success
    ("V4", "00041000 a001"),
    // LEASEQUERY-REPLY, success, no bindings
    (
        "V5",
        "00240f00 a0020001 000a0003 00010200 0000aa01 0002000e 00020000 7ed90cc0 \
         84d30300 0912",
    ),
    // LEASEQUERY-REPLY, NotConfigured
    (
        "V6",
        "00360f00 a0030001 000a0003 00010200 0000aa01 0002000e 00020000 7ed90cc0 \
         84d30300 0912000d 000e0009 6e6f2073 75636820 6c696e6b",
    ),
    // LEASEQUERY-DONE, QueryTerminated
    ("V7", "00171000 a001000d 000f000b 73687574 74696e67 20646f77 6e"),
    // LEASEQUERY, QUERY_BY_ADDRESS
    (
        "V8",
        "00430e00 a0040001 000a0003 00010200 0000aa01 002c002d 01000000 00000000 \
         00000000 00000000 00000500 1820010d b8f00001 23000000 00000000 05000000 \
         00000000 00",
    ),
    // LEASEQUERY, QUERY_BY_REMOTE_ID limited to one link
    (
        "V9",
        "00350e00 a0050001 000a0003 00010200 0000aa01 002c001f 0520010d b8000100 \
         00000000 00000000 01002500 0a00007e d9706f72 742d37",
    ),
    // LEASEQUERY, QUERY_BY_LINK_ADDRESS
    (
        "V10",
        "00270e00 a0060001 000a0003 00010200 0000aa01 002c0011 0420010d b8000100 \
         00000000 00000000 01",
    ),
    // LEASEQUERY-REPLY over UDP
    (
        "V11",
        "0f00a007 0001000a 00030001 02000000 aa010002 000e0002 00007ed9 0cc084d3 \
         03000912 00300020 20010db8 00010000 00000000 00000000 20010db8 00020000 \
         00000000 00000000",
    ),
    // RELAY-FORW
    (
        "V12",
        "0c002001 0db80001 00000000 00000000 0001fe80 00000000 00000200 00fffe00 \
         01010012 00086765 2d302f30 2f370025 000a0000 7ed9706f 72742d37 0035000a \
         00030001 02000000 aa010009 0040015c a1ab0001 000a0003 00010200 00000101 \
         00080002 00000003 000c0000 00010000 00000000 00000019 000c0000 00010000 \
         00000000 00000006 00040052 0017",
    ),
    // STARTTLS
    ("V13", "00041700 b001"),
    // REPLY to STARTTLS, accepted
    ("V14", "00160700 b0010002 000e0002 00007ed9 0cc084d3 03000912"),
    // REPLY to STARTTLS, refused
    ("V15", "001c0700 b0010002 000e0002 00007ed9 0cc084d3 03000912 000d0002 000f"),
    // ACTIVELEASEQUERY, everything, with catch-up from server time 0x30000000
    (
        "V16",
        "00201600 b0020001 000a0003 00010200 0000aa01 00060002 00640065 00043000 \
         0000",
    ),
    // LEASEQUERY-DATA keep-alive
    ("V17", "000c1100 b0020064 00043000 003c"),
    // LEASEQUERY-DATA CatchUpComplete
    ("V18", "00121100 b002000d 0002000d 00640004 30000040"),
    // OPTION_PD_EXCLUDE for 2001:db8:dead:beef::/64 inside 2001:db8:dead:bee0::/59
    ("V19", "00430002 4078"),
    // OPTION_PD_EXCLUDE for 2001:db8:0:ff::/64 inside 2001:db8::/48
    ("V20", "00430003 4000ff"),
    // RECONFIGURE
    (
        "V21",
        "0a000000 0002000e 00020000 7ed90cc0 84d30300 09120001 000a0003 00010200 \
         00000101 00130001 05000b00 1c030100 00000000 00000001 02de52e5 c8892797 \
         41d27183 0f28d72d 62",
    ),
    // OPTION_LQ_RELAY_DATA for a two-relay chain
    (
        "V22",
        "002f0080 20010db8 fffe0000 00000000 00000009 0c010000 00000000 00000000 \
         00000000 00002001 0db80001 00000000 00000000 00010009 004a0c00 20010db8 \
         00010000 00000000 00000001 fe800000 00000000 020000ff fe000102 00120008 \
         67652d30 2f302f37 0025000a 00007ed9 706f7274 2d370035 000a0003 00010200 \
         0000aa01",
    ),
];

/// The octets of the vector called `name`.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let (_, hex) = VECTORS.iter().find(|(known, _)| *known == name).expect("a vector of this name");
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks_exact(2).map(octet).collect()
}
