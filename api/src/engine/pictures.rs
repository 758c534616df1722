//! The gate for pictures of junctions: from bytes to checked pictures. A picture is taken as a whole or not at all.

use greenkerb_models::detection::{Picture, Sighting, Vicinity};
use greenkerb_models::ids::{ControllerId, MovementId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Metres, MetresPerSecond, TimeDs};
use serde::Deserialize;

use super::ingest::{INSTANT_DS_MAX, shortened};
use crate::wire::read_object;
use crate::wire::v1::{MovementReport, PictureReport, RefusalCode, VehicleReport};

/// Most vehicles of a picture.
pub const VEHICLES_MAX: usize = 2_000;

/// Faster than this is nobody.
const SPEED_MPS_MAX: f64 = 100.0;

/// A vehicle is this much further from the end of its lane than the lane is long, at most: rounding.
const LENGTH_TOLERANCE_M: f64 = 0.1;

/// Why a picture is not taken: whose it is, as far as that can be read, what kind of fault it has, and the fault.
pub(super) type Fault = (Option<String>, RefusalCode, String);

/// What tells a picture from a report of a detector.
#[derive(Deserialize)]
struct OnlyController {
    controller: String,
}

/// True when an item is meant as a picture.
pub(super) fn is_picture(item: &[u8]) -> bool {
    read_object::<OnlyController>(item).is_ok()
}

pub(super) fn read_picture(network: &Network, vicinity: &Vicinity, item: &[u8]) -> Result<Picture, Fault> {
    let report: PictureReport = read_object(item).map_err(|e| {
        let name = read_object::<OnlyController>(item).ok().map(|n| shortened(&n.controller));
        (name, RefusalCode::Malformed, e.to_string())
    })?;
    let name = shortened(&report.controller);
    let Some(controller) = network.controller_named(&report.controller) else {
        let reason = format!("the network has no controller '{name}'");
        return Err((Some(name), RefusalCode::UnknownController, reason));
    };
    let fault = |(code, reason)| (Some(name.clone()), code, reason);
    let at = TimeDs::parse_rfc3339(&report.at).map_err(|e| {
        let reason = format!("at '{}' is no RFC 3339 instant: {e}", shortened(&report.at));
        fault((RefusalCode::Malformed, reason))
    })?;
    if at.0.unsigned_abs() > INSTANT_DS_MAX {
        let reason = format!("at '{}' is thousands of years off", shortened(&report.at));
        return Err(fault((RefusalCode::ImpossibleValue, reason)));
    }
    if report.vehicles.len() > VEHICLES_MAX {
        let reason = format!("a picture may have {VEHICLES_MAX} vehicles, this one has {}", report.vehicles.len());
        return Err(fault((RefusalCode::ImpossibleValue, reason)));
    }
    let vehicles = report.vehicles.iter().enumerate().map(|(i, vehicle)| {
        sighting(network, vicinity, controller, vehicle)
            .map_err(|(code, reason)| fault((code, format!("vehicle {i}: {reason}"))))
    });
    Ok(Picture { controller, at, vehicles: vehicles.collect::<Result<_, _>>()? })
}

fn sighting(
    network: &Network,
    vicinity: &Vicinity,
    controller: ControllerId,
    vehicle: &VehicleReport,
) -> Result<Sighting, (RefusalCode, String)> {
    let impossible = |reason: String| (RefusalCode::ImpossibleValue, reason);
    let name = || shortened(&vehicle.lane);
    let lane = network.lane_named(&vehicle.lane);
    let lane = lane.ok_or_else(|| (RefusalCode::UnknownLane, format!("the network has no lane '{}'", name())))?;
    if !vicinity.leads_to(network.lane(lane).link, controller) {
        let reason = format!("lane '{}' does not lead to the controller's signals", name());
        return Err((RefusalCode::UnknownLane, reason));
    }
    let length_m = network.lane(lane).length.get();
    let to_lane_end = Metres::new(vehicle.to_lane_end_m).map_err(|e| impossible(format!("to_lane_end_m: {e}")))?;
    if to_lane_end.get() > length_m + LENGTH_TOLERANCE_M {
        let given_m = to_lane_end.get();
        return Err(impossible(format!("to_lane_end_m {given_m} is not on lane '{}' of {length_m} m", name())));
    }
    let speed = MetresPerSecond::new(vehicle.speed_mps).map_err(|e| impossible(format!("speed_mps: {e}")))?;
    if speed.get() > SPEED_MPS_MAX {
        return Err(impossible(format!("speed_mps {} must be at most {SPEED_MPS_MAX}", speed.get())));
    }
    let movement = vehicle.movement.as_ref().map(|m| movement(network, controller, m)).transpose()?;
    Ok(Sighting { lane, to_lane_end, speed, movement })
}

fn movement(
    network: &Network,
    controller: ControllerId,
    given: &MovementReport,
) -> Result<MovementId, (RefusalCode, String)> {
    let unknown = || {
        let (from, to) = (shortened(&given.from), shortened(&given.to));
        let reason = format!("the controller has no movement from link '{from}' to link '{to}'");
        (RefusalCode::UnknownMovement, reason)
    };
    let (from, to) = network.link_named(&given.from).zip(network.link_named(&given.to)).ok_or_else(unknown)?;
    let obeys = |m: &MovementId| {
        let connections = &network.movement(*m).connections;
        connections.iter().any(|c| network.connection(*c).signal.is_some_and(|s| s.controller == controller))
    };
    let all = network.movements_from(from).iter().copied();
    all.filter(|m| network.movement(*m).to_link == to).find(obeys).ok_or_else(unknown)
}
