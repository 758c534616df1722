//! Records as they stand in the file: like the tables of a demand, with names instead of numbers.

use serde::{Deserialize, Serialize};

use crate::demand::{DepartLane, DepartSpeed, Emission};
use crate::units::{Ds, Metres, TimeDs};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRoute {
    pub(super) name: String,
    pub(super) links: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStop {
    pub(super) name: String,
    pub(super) lane: String,
    pub(super) at: Metres,
    pub(super) bay: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFacility {
    pub(super) name: String,
    pub(super) entrance: String,
    pub(super) entrance_at: Metres,
    pub(super) exit: String,
    pub(super) capacity: u32,
    pub(super) occupied: u32,
    pub(super) service: Ds,
    pub(super) mouth: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RawWay {
    Along(String),
    Between {
        from: String,
        to: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        via: Vec<String>,
    },
    Turning {
        from: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStay {
    pub(super) stop: String,
    pub(super) dwell: Ds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<TimeDs>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParking {
    pub(super) facility: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stay: Option<Ds>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrip {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) depart: TimeDs,
    pub(super) way: RawWay,
    #[serde(default)]
    pub(super) depart_lane: DepartLane,
    #[serde(default)]
    pub(super) depart_speed: DepartSpeed,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) stays: Vec<RawStay>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parking: Option<RawParking>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFlow {
    pub(super) template: RawTrip,
    pub(super) end: TimeDs,
    pub(super) emission: Emission,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTurning {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) share: f64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPeople {
    pub(super) crossing: String,
    pub(super) people_per_h: f64,
    pub(super) begin: TimeDs,
    pub(super) end: TimeDs,
}
