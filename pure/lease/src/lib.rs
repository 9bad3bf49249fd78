//! What is held: clients, links, and the table with its ordered indexes.
