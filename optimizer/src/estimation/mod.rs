//! What is known about traffic: detector health, arrivals, queues and turning ratios, from loop counts alone.

mod detector;
mod discharge;
mod estimator;
mod health;
mod imputation;
mod lane;
mod presumed;
mod turning;
mod ways;

pub use detector::{DetectorStatus, Reading, Timeliness};
pub(crate) use discharge::Discharge;
pub(crate) use estimator::Passed;
pub use estimator::{Estimator, Shown};
pub use health::{Health, HealthRules};
pub use lane::{LaneEstimate, Source};
pub use presumed::Presumed;
pub use turning::{TurningCounts, TurningRatios, turning_ratios};
pub(crate) use ways::prior_shares;
