//! What survives: the embedded store, and import from other servers.
//!
//! | file | one thought |
//! | --- | --- |
//! | `store` | the two verbs of every store: give everything back, make a batch last |
//! | `embedded` | a store in a folder, and the proof that its engine forgot nothing |
//! | `notebook` | what may be forgotten, and then is known to be |
//! | `memory` | a store for tests and for the simulator |
//! | `record` | how a record and the summary of all records look on disk |
//! | `witness` | which commit was durable, told by someone other than the engine |
//! | `engine` | fjall, and what it needs around it |
//! | `folder` | where stores are: one process at a time, changed in steps that last |
//! | `error` | what can go wrong, one enum per phase |
//! | `import` | links and clients out of another server's files |

mod embedded;
mod engine;
mod error;
mod folder;
pub mod import;
mod memory;
mod notebook;
mod record;
mod store;
mod witness;

pub use embedded::{EmbeddedStore, Salvaged};
pub use error::{BoxError, CommitError, LoadError, OpenError};
pub use memory::MemoryStore;
pub use notebook::{Notebook, Recalled, Struck};
pub use store::{Change, Loaded, MAX_IMAGE_LEN, MAX_KEY_LEN, MIN_KEY_LEN, Store, Visit};
