//! What survives: the embedded store, and import from other servers.

mod embedded;
mod engine;
mod error;
mod memory;
mod record;
mod store;
mod witness;

pub use embedded::{EmbeddedStore, Salvaged};
pub use error::{BoxError, CommitError, LoadError, OpenError};
pub use memory::MemoryStore;
pub use store::{Change, Loaded, MAX_IMAGE_LEN, MAX_KEY_LEN, MIN_KEY_LEN, Store, Visit};
