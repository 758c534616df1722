//! The line from the field to the service: detectors report, controllers poll and acknowledge, and all of it can be
//! recorded. The same line serves every street; at its other end is the service over HTTP, or its core in this process.
//!
//! | file | holds |
//! | --- | --- |
//! | `service` | what the field asks of the service |
//! | `in_process` | the service's core without a socket |
//! | `process` | the service as a process of its own |
//! | `exchange` | what passed |
//! | `link` | the line itself |

mod exchange;
mod in_process;
mod link;
mod process;
mod service;

pub use exchange::Exchange;
pub use in_process::{InProcess, InProcessOptions};
pub use link::{Line, LineError, LineOptions};
pub use process::{ServiceError, ServiceProcess};
pub use service::Service;

/// Settings of a service whose controllers poll in the step in which was decided, and show at once what they are told.
pub const SETTINGS_IN_STEP: &str = "[optimizer.policy]\nfrozen = 0\n";
