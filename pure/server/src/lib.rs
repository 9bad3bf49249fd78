//! What a server does with the leasequeries that arrive.
