//! Where detectors lie.

use std::sync::Arc;

use greenkerb_models::detection::{Detector, lay};
use greenkerb_models::ids::LaneId;
use greenkerb_models::network::{Network, NetworkError};

/// Streets keep loops within their lane; a rounding of the lane's length must not put one outside.
const MARGIN_M: f64 = 0.01;

/// Where a detector lies on its lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The lane.
    pub lane: LaneId,
    /// Upstream edge, in metres from the start of the lane.
    pub from_m: f64,
    /// Downstream edge.
    pub to_m: f64,
}

impl Place {
    /// Where a detector of a network lies.
    #[must_use]
    pub fn of(network: &Network, detector: &Detector) -> Self {
        let lane_m = network.lane(detector.lane).length.get();
        let to_m = (lane_m - detector.to_lane_end.get()).clamp(0.0, (lane_m - MARGIN_M).max(0.0));
        Self { lane: detector.lane, from_m: (to_m - detector.length.get()).max(0.0), to_m }
    }
}

/// The network with detectors: itself where it shows any; otherwise one that differs only in the loops that SUMO's
/// networks are given, too.
///
/// # Errors
/// [`NetworkError`] when the derived loops do not fit the network, which would be a fault of ours.
pub fn with_detectors(network: &Arc<Network>) -> Result<Arc<Network>, NetworkError> {
    if !network.detectors().is_empty() {
        return Ok(Arc::clone(network));
    }
    let mut parts = network.parts().clone();
    parts.detectors = lay(&parts, |_, _| {});
    parts.build().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn a_network_without_detectors_gets_two_loops_a_lane() {
        let shown = grid(1, 1, 200.0).unwrap();
        let mut parts = shown.parts().clone();
        parts.detectors.clear();
        let bare = Arc::new(parts.build().unwrap());
        let laid = with_detectors(&bare).unwrap();
        assert_eq!(laid.detectors().len(), 16, "a stop-bar and an advance loop on each of eight lanes");
        assert!(Arc::ptr_eq(&with_detectors(&laid).unwrap(), &laid), "who has detectors keeps them");
        let place = Place::of(&laid, &laid.detectors()[0]);
        let lane_m = laid.lane(place.lane).length.get();
        assert!((lane_m - 3.0 - place.from_m).abs() < 1e-9 && (lane_m - 1.0 - place.to_m).abs() < 1e-9);
    }
}
