//! Signal timing: from what is known to validated plans.
//!
//! | file | decides |
//! | --- | --- |
//! | `optimizer` | when which controller is decided for, and what is published |
//! | `charge` | what is kept about one controller |
//! | `isolated` | the next cycle of a controller that stands alone |
//! | `feeds` | which lanes send vehicles to which approaches, and in what time |
//! | `coordination` | which controllers share a cycle, and which |
//! | `offsets` | how far their cycles are apart |
//! | `cycle` | Allsop's linear program: what cycle is long enough |
//! | `splits` | store-and-forward linear program over some cycles |
//! | `network_splits` | the same for a whole network at once, offline |
//! | `refine` | the last seconds, on the model of `fluid` |
//! | `max_pressure` | splits without any search |
//! | `junction` | what each lane can pass in each step |
//! | `budget` | how much work a decision may be |
//! | `rolling` | what is kept about a controller that runs schedules |
//! | `scheduling` | schedules for all controllers in that mode, each step |
//! | `word` | what a controller says it runs, against what it was told |
//! | `timeline` | what a controller runs, and when |

mod budget;
mod charge;
mod coordination;
mod cycle;
mod feeds;
mod fluid;
mod isolated;
mod junction;
mod max_pressure;
mod network_splits;
mod offsets;
mod optimizer;
mod refine;
mod report;
mod rolling;
mod scheduling;
mod settings;
mod splits;
mod timeline;
mod word;

pub use budget::{Budget, Exhausted, Unlimited, WorkBudget};
pub use isolated::Method;
pub use network_splits::{LaneDemand, network_splits};
pub use optimizer::SignalOptimizer;
pub use report::{ControllerState, GroupReport, NetworkState, StepOutcome};
pub use settings::{Mode, Settings};
pub use timeline::Timeline;
pub use word::Said;

pub use crate::solver::{SolveError, SolveStatus};
