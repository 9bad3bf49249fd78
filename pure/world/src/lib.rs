//! What the outside hands in: time and chance, as plain values.
