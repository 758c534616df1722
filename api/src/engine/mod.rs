//! The one optimizer behind the service: what it is told, when it decides, and what of it can be polled.
//!
//! | file | holds |
//! | --- | --- |
//! | `clock` | the only place where the wall clock enters |
//! | `ingest`, `pictures` | the gate for observations, and for pictures of junctions |
//! | `idempotency` | what batches have been answered already |
//! | `decider` | what the engine asks of an optimizer |
//! | `core` | a step: observe, decide, make durable, show |
//! | `recovery` | from what the store knows to what is in force |
//! | `actor` | the thread that owns all of it |
//! | `board` | what can be polled, and what controllers say about it |
//! | `vitals` | how the engine is |

pub mod actor;
pub mod board;
pub mod clock;
pub mod core;
pub mod deadline;
pub mod decider;
pub mod idempotency;
pub mod ingest;
pub mod metrics;
pub mod pictures;
pub mod recovery;
pub mod source;
pub mod vitals;
