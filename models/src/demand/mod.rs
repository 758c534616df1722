//! Who wants to go where and when: vehicles, people, bus stops and parking facilities.
//!
//! A [`Demand`] belongs to one network and is only ever whole: [`DemandParts::build`] checks every reference once.

mod facility;
mod kind;
mod parts;
mod people;
mod stop;
mod trip;

pub use facility::Facility;
pub use kind::{Following, SpeedFactor, VehicleClass, VehicleKind};
pub use parts::{Demand, DemandError, DemandParts};
pub use people::PeopleFlow;
pub use stop::{BusStop, Stay};
pub use trip::{DepartLane, DepartSpeed, Emission, Flow, Parking, Route, Trip, TurningShare, Way};
