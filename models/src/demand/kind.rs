//! Kinds of vehicles: how long they are, and how they are driven.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::{Metres, MetresPerSecond, MetresPerSecondSquared};

/// What a vehicle is, for who may use a lane and for what it emits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VehicleClass {
    /// A private motor car.
    #[default]
    Car,
    /// A lorry.
    Lorry,
    /// A bus; may use bus lanes.
    Bus,
    /// A bicycle.
    Bicycle,
    /// An emergency vehicle.
    Emergency,
}

/// The law by which a driver follows the vehicle in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Following {
    /// Krauss's safe speed with driver imperfection, as SUMO has it (Krauss 1998).
    #[default]
    Krauss,
    /// The intelligent driver model (Treiber, Hennecke, Helbing 2000).
    Idm,
}

/// How drivers of a kind differ in the speed they want, relative to the limit: normal, cut off at both ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedFactor {
    /// Mean.
    pub mean: f64,
    /// Standard deviation; 0: all the same.
    pub deviation: f64,
    /// Lowest.
    pub min: f64,
    /// Highest.
    pub max: f64,
}

impl SpeedFactor {
    /// Everybody keeps the limit.
    pub const ONE: Self = Self { mean: 1.0, deviation: 0.0, min: 1.0, max: 1.0 };
}

impl fmt::Display for SpeedFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mean {}, deviation {}, from {} to {}", self.mean, self.deviation, self.min, self.max)
    }
}

/// A kind of vehicle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VehicleKind {
    /// Name, unique in the demand.
    pub name: String,
    /// What it is.
    pub class: VehicleClass,
    /// Bumper to bumper.
    pub length: Metres,
    /// Gap kept when standing.
    pub min_gap: Metres,
    /// Highest acceleration.
    pub accel: MetresPerSecondSquared,
    /// Acceleration drivers like (CityFlow's `usualPosAcc`; the highest one where a format knows no other).
    pub usual_accel: MetresPerSecondSquared,
    /// Deceleration drivers like and plan with.
    pub decel: MetresPerSecondSquared,
    /// Highest deceleration.
    pub emergency_decel: MetresPerSecondSquared,
    /// Highest speed of the vehicle.
    pub speed_max: MetresPerSecond,
    /// How drivers differ in the speed they want.
    pub speed_factor: SpeedFactor,
    /// Headway kept to the vehicle in front, in seconds: at least the driver's reaction time (SUMO `tau`).
    pub headway_s: f64,
    /// Driver imperfection of the Krauss law, 0 to 1 (SUMO `sigma`).
    pub imperfection: f64,
    /// The law by which its drivers follow.
    pub following: Following,
    /// People on board, driver included: the weight of its delay where people are counted.
    pub people: f64,
}

impl VehicleKind {
    /// SUMO 1.28's default passenger car (SUMO, "Vehicle Type Parameter Defaults"), under a name.
    #[must_use]
    pub fn car(name: &str) -> Self {
        let m = |v| Metres::new(v).unwrap_or_default();
        let a = |v| MetresPerSecondSquared::new(v).unwrap_or_default();
        Self {
            name: name.to_owned(),
            class: VehicleClass::Car,
            length: m(5.0),
            min_gap: m(2.5),
            accel: a(2.6),
            usual_accel: a(2.6),
            decel: a(4.5),
            emergency_decel: a(9.0),
            speed_max: MetresPerSecond::new(55.56).unwrap_or_default(),
            speed_factor: SpeedFactor { mean: 1.0, deviation: 0.1, min: 0.2, max: 2.0 },
            headway_s: 1.0,
            imperfection: 0.5,
            following: Following::Krauss,
            people: 1.3,
        }
    }
}
