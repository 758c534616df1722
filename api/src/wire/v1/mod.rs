//! Version 1 of the wire: plain shapes, no rules. Instants are RFC 3339 in UTC; times inside plans are integer
//! deciseconds (`_ds`), other durations seconds (`_s`).

mod ack;
mod controllers;
mod detectors;
mod health;
mod history;
mod network;
mod observations;
mod pictures;
mod problem;
mod state;
mod timing;

pub use ack::{Ack, AckState};
pub use controllers::{ControllerEntry, Controllers};
pub use detectors::{DetectorEntry, DetectorKindName, Detectors};
pub use health::{Live, NotReady, Ready, Trouble};
pub use history::{Change, History, HistoryEntry};
pub use network::{Feature, FeatureCollection, Geometry};
pub use observations::{Receipt, RefusalCode, RefusedItem, Report, Reports};
pub use pictures::{MovementReport, PictureReport, VehicleReport};
pub use problem::Problem;
pub use state::{ControllerNow, DecisionNow, DetectorNow, HealthName, LaneNow, ReadingNow, SourceName, State};
pub use timing::{
    Green, GroupGreens, PhaseSplit, Plan, ReasonEntry, ReasonValue, ScheduledStage, StageGreen, StageSchedule, Timing,
};
